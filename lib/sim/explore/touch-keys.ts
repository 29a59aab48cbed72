/** What a move touches, as numbers that are the same in every run. */

import type { KernelObject, TouchAspect } from '../kernel/kernel.ts'
import { Process } from '../processes/process.ts'
import { Task } from '../processes/task.ts'

/** Depends on everything. */
export const everything = 0

// Objects, processes and threads are numbered each for themselves.
const ofObject = (id: number) => id * 3
const ofProcess = (id: number) => id * 3 + 1
const ofTask = (id: number) => id * 3 + 2

/** Notes what is touched: of a process its threads as well, unless it is only what a wait sees of it. */
export function touchKeys(touched: Set<number>, object: KernelObject, aspect: TouchAspect): void {
  if (object instanceof Task) {
    touched.add(ofTask(object.id))
  } else if (object instanceof Process) {
    touched.add(ofProcess(object.id))
    if (aspect === 'all') for (const task of object.tasks) touched.add(ofTask(task.id))
  } else {
    touched.add(ofObject(object.id))
  }
}
