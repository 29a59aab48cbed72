/** Newborns: the task of a new thread, and whether a new process shares its creator's memory. */

import type { StopStatus } from '../../../system/wait-status.ts'
import { WatchedChild } from '../../children/watched-child.ts'
import { Task, type TaskOwner } from '../tasks/task.ts'
import { sharesMemory } from './births.ts'

/** The task of a thread other than the main one, before its first stop. */
export function newThread(owner: TaskOwner, tid: number, options: number): Task {
  let watched: WatchedChild
  const task: Task = new Task(owner, tid, options, () => watched)
  watched = new WatchedChild(owner.system, tid, task, 'thread')
  task.isUnborn = true
  return task
}

/** Whether a new process shares its creator's memory. The creator must be at the event of the birth. */
export function isInMemoryOf(creator: Task, { event }: StopStatus<object>): boolean {
  const { system } = creator.owner
  if (system.kind !== 'native') return event === 'vfork'
  const word = (address: bigint) => {
    const bytes = system.readMemory(creator.tid, address, 8)
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  }
  return sharesMemory(system.ptraceGetRegisters(creator.tid), word)
}
