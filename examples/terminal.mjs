// Runs a program on a terminal of its own, inside this one: node examples/terminal.mjs [program [args…]]
//
// Without a terminal, standard input is what is typed.

import { launch, openPty } from 'tracegate'

const [program = 'sh', ...args] = process.argv.slice(2)
const { stdin, stdout } = process

const { master, slave } = openPty({ rows: stdout.rows, columns: stdout.columns })
const child = await launch(program, args, {
  trace: false,
  stdio: [slave, slave, slave],
  controllingTerminal: slave, // job control: Ctrl-C, Ctrl-Z, SIGWINCH
})

if (stdin.isTTY) stdin.setRawMode(true) // Ctrl-C is the program's
stdin.on('data', keys => master.write(keys))
stdin.on('end', () => master.write('\x04')) // Ctrl-D
stdout.on('resize', () => master.resize(stdout.rows, stdout.columns))

for await (const text of master) stdout.write(text)

if (stdin.isTTY) stdin.setRawMode(false)
stdin.destroy()
const { code, signal } = await child.exited
console.log(`${program} has ended: ${code ?? signal}`)
