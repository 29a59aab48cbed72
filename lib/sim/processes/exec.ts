/** execve(2): a process runs another program. */

import { constants } from '../../system/constants.ts'
import { EACCES, ENOENT } from '../base/results.ts'
import { exitTask } from './exit.ts'
import { newFrame } from './fork.ts'
import { Memory } from './memory.ts'
import { endTrace } from './reap.ts'
import type { Task } from './task.ts'

/** execve(2): a negative errno, or 0, which no program sees. */
export function execute(task: Task, file: string, argv: readonly string[], env: readonly string[]): number {
  const { kernel, process } = task
  const found = kernel.fileTree.resolve(process.directory, file)
  if (typeof found === 'number') return found
  if (found.kind !== 'program') return found.kind === 'directory' || found.kind === 'device' ? -EACCES : -ENOENT
  const formerTid = task.tid
  endOtherThreads(task)
  process.image = { path: file, argv, env }
  process.memory = new Memory(process.image)
  process.hasExeced = true
  process.descriptors.closeForExec()
  for (const [signal, { handler }] of process.actions) if (typeof handler === 'function') process.actions.delete(signal)
  task.frames.length = 0
  task.frames.push(newFrame(found.code(task)))
  kernel.trace.executed?.(task)
  if (task.trace !== null) task.events.push({ event: constants.PTRACE_EVENT_EXEC, message: formerTid })
  return 0
}

/** Ends all other threads. The calling thread becomes the leader, with the leader's number. */
function endOtherThreads(task: Task): void {
  const { kernel, process } = task
  for (const thread of process.tasks.filter(other => other !== task)) {
    thread.wait?.leave()
    thread.unblock()
    thread.killed = true
    runToEnd(exitTask(thread, 0))
  }
  const { leader } = process
  if (leader === task) return
  if (leader.trace !== null) endTrace(leader)
  leader.state = 'dead'
  kernel.tasks.delete(task.tid)
  task.tid = process.id
  process.leader = task
  kernel.tasks.set(task.tid, task)
}

function runToEnd(work: Generator<void, void, void>): void {
  while (!work.next().done) {}
}
