// Counts the system calls of a program, from its first instruction to its end.
//
//   node examples/count-syscalls.mjs /bin/ls

import { launch } from 'tracegate'

const [program = '/bin/true', ...args] = process.argv.slice(2)
/** @type {Map<bigint | undefined, number>} */
const counts = new Map()
let isEntry = true // the end of the execve that began it is not among the stops

const tracee = await launch(program, args, { stdio: ['inherit', 'ignore', 'inherit'] })
tracee.syscall()
for (let stop = await tracee.wait(); stop.kind === 'stopped'; stop = await tracee.wait()) {
  if (stop.event === 'syscall') {
    const registers = tracee.registers()
    const number = 'orig_rax' in registers ? registers.orig_rax : 'x8' in registers ? registers.x8 : undefined
    if (isEntry) counts.set(number, (counts.get(number) ?? 0) + 1)
    isEntry = !isEntry
  }
  tracee.syscall(stop.event ? undefined : stop.signal)
}

for (const [number, count] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`call ${number}: ${count}`)
console.log(`in all: ${[...counts.values()].reduce((sum, count) => sum + count, 0)}`)
