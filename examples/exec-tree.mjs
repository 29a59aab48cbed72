// The tree of processes that a command starts, and the programs that each execs: node exec-tree.mjs make -j2
//
// Every child is followed, however it was started. The indentation shows which process started which.

import { readFileSync } from 'node:fs'
import { launch } from 'tracegate'

/** @typedef {import('tracegate').Tracee} Tracee */

const [program = 'sh', ...args] = process.argv.slice(2)

/** @type {Map<Tracee, string[]>} */
const programs = new Map()

/** @param {Tracee} tracee */
function noteProgram(tracee) {
  const words = readFileSync(`/proc/${tracee.pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  programs.set(tracee, [...(programs.get(tracee) ?? []), words.join(' ')])
}

/** @param {Tracee} tracee @param {number} depth */
function print(tracee, depth) {
  const execed = programs.get(tracee) ?? []
  // A child that never execs runs its parent's program.
  console.log(
    `${'  '.repeat(depth)}${tracee.pid} ${execed.length > 0 ? execed.join(' -> ') : '(a copy of its parent)'}`,
  )
  for (const child of tracee.children.values()) print(child, depth + 1)
}

const root = await launch(program, args, { stdio: ['inherit', 'ignore', 'inherit'], follow: 'all' })
for await (const { thread, stop } of root.everyStop()) {
  if (stop.event === 'exec') noteProgram(thread.process)
  if (stop.reason === 'group') thread.listen()
  else thread.cont(stop.event === undefined ? stop.signal : undefined)
}
print(root, 0)
const { code } = await root.exited
process.exitCode = code ?? 1
