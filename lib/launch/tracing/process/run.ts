/** run(): resumes a process, its threads and every process followed from it, from every stop. */

import { StopFeed } from '../stops/stop-feed.ts'
import { passOn } from '../tasks/pass-on-task.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'
import type { TracedProcess } from './traced-process.ts'

/** Opens a feed of the stops of a process and of those followed from it, beginning with the current ones. */
export function openFeed(process: TracedProcess): StopFeed {
  const feed = new StopFeed(process.system, () => process.isTreeOver)
  process.feeds.add(feed)
  for (const task of stoppedTasks(process)) feed.push(task)
  return feed
}

/** Resumes each thread from each stop as if untraced, until everything has ended. */
export async function passOnAll(process: TracedProcess, beforeEach?: () => Promise<void>): Promise<void> {
  process.run = passOnAll
  const feed = openFeed(process)
  try {
    for (let shown = await feed.next(); shown !== undefined; shown = await feed.next()) {
      const { task, stop } = shown
      await beforeEach?.()
      // Another loop that gets the same stop is to resume it first.
      if (process.feeds.count > 1) await process.system.sleep(0)
      // A listener may have resumed the task: the current stop may be a later one, with a signal of its own.
      if (task.stop === stop) goOn(task, stop)
    }
  } finally {
    process.feeds.delete(feed)
  }
}

/** Passes a stop on: now, or by contAll() while stopAll() keeps the process stopped. */
function goOn(task: Task, stop: Stop): void {
  const { halt, keeper } = ownerOf(task)
  if (!halt.isOn) passOn(task, stop, keeper)
  else {
    task.park('user', () => {
      task.stop = stop
      passOn(task, stop, keeper)
    })
  }
}

function* stoppedTasks(process: TracedProcess): Iterable<Task> {
  for (const task of process.tasks.values()) if (task.stop !== null && !task.isStopHidden) yield task
  for (const child of process.children) yield* stoppedTasks(child)
}

function ownerOf(task: Task): TracedProcess {
  return task.owner as TracedProcess
}
