// node bench/hold.mjs: from the start of a command to the program that it holds, in state T: tracegate hold --report,
// as npm installs it and by node, beside a shell that stops itself before its exec. STARTER names a further command
// that speaks the protocol of docs/terminal-protocol.md.

import { openSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { constants, openSystem } from 'tracegate'
import { quantile } from './measure.mjs'

const rounds = Number(process.env.ROUNDS ?? 100)
const { WUNTRACED } = constants
const system = openSystem('native')
const env = Object.entries(process.env).map(([key, value]) => `${key}=${value}`)
const program = '/bin/true'
const file = name => fileURLToPath(new URL(`../${name}`, import.meta.url))

const nothing = openSync('/dev/null', 'w')

const now = () => performance.now() * 1000

/** Starts a command. `fds`: our descriptor by its number in the child. All others are closed. */
function start(words, fds) {
  /** @type {import('tracegate').ChildAction[]} */
  const actions = Object.entries(fds).map(([target, fd]) => ({ op: 'dup2', fd, target: Number(target) }))
  actions.push(
    { op: 'closeAllExcept', fds: [0, 1, 2, ...Object.keys(fds).map(Number)] },
    { op: 'execve', files: [words[0]], argv: words, env },
  )
  return system.fork({ actions })
}

/** Lets a held program run to its end. */
function letGo(pid, held) {
  system.kill(held, 'SIGCONT')
  for (;;) {
    const kind = system.waitpid(pid)?.status.kind
    if (kind === 'exited' || kind === 'signaled') return
  }
}

/** The time until a starter reports 'attachable': its program is in state T. */
function reported(words) {
  return () => {
    const [readFd, writeFd] = system.pipe2(constants.O_CLOEXEC)
    const before = now()
    const pid = start([...words, 'hold', '--report', 'fd:9', '--', program], { 2: nothing, 9: writeFd })
    system.close(writeFd)
    const bytes = new Uint8Array(1024)
    let said = ''
    while (!said.includes('attachable')) {
      const count = system.read(readFd, bytes)
      if (count === 0) throw new Error(`${words[0]} said ${said}`)
      said += new TextDecoder().decode(bytes.subarray(0, count))
    }
    const taken = now() - before
    letGo(pid, Number(/"pid":(\d+)/.exec(said)?.[1]))
    system.close(readFd)
    return taken
  }
}

/** The time until a shell has stopped itself, before it execs the program. */
function stopped() {
  const before = now()
  const pid = start(['/bin/sh', '-c', `kill -STOP $$; exec ${program}`], {})
  system.waitpid(pid, WUNTRACED)
  const taken = now() - before
  letGo(pid, pid)
  return taken
}

const contenders = [
  { name: 'tracegate hold --report', run: reported([file('bin/tracegate.js')]) },
  { name: 'the same by node', run: reported([process.execPath, file('dist/cli/main.js')]) },
  { name: "sh -c 'kill -STOP $$; exec program'", run: stopped },
]
if (process.env.STARTER !== undefined)
  contenders.push({ name: process.env.STARTER, run: reported([process.env.STARTER]) })

/** @type {number[][]} */
const samples = contenders.map(() => [])
// The first rounds fill the page cache and Node's compile cache.
for (let round = -3; round < rounds; round++) {
  for (const [i, { run }] of contenders.entries()) {
    const taken = run()
    if (round >= 0) samples[i]?.push(taken)
  }
}

const ms = us => `${(us / 1000).toFixed(2)} ms`.padStart(12)
const load = loadavg()[0]?.toFixed(1)
console.log(`Linux ${release()}, ${cpus()[0]?.model} x ${cpus().length}, Node ${process.versions.node}; load ${load}`)
console.log(`From the start to a program in state T: of ${rounds} each, in turn\n`)
console.log(`${''.padEnd(36)}${['fastest', 'median', '9 of 10'].map(title => title.padStart(12)).join('')}`)
for (const [i, { name }] of contenders.entries()) {
  const figures = [0, 0.5, 0.9].map(share => ms(quantile(samples[i], share)))
  console.log(`${name.padEnd(36)}${figures.join('')}`)
}
