import { blocked } from '../base/results.ts'
import type { Task } from '../processes/task.ts'

/** Attempts a woken task's call again: its result, or `blocked`. A pending signal ends the call. */
export function tryAgain(task: Task): unknown {
  const { kernel } = task
  const wait = task.wait!
  if (wait.file !== undefined) kernel.trace.used?.(wait.file)
  wait.beforeAttempt()
  const result = wait.attempt()
  if (result !== blocked) {
    task.unblock()
    kernel.trace.answered?.(task, result)
    return result
  }
  if (!task.isInterrupted) {
    task.state = 'waiting'
    return blocked
  }
  const ended = wait.interrupted()
  task.unblock()
  kernel.trace.answered?.(task, ended)
  const frame = task.frames[task.frames.length - 1]
  const again = wait.restart()
  if (again !== undefined && frame?.request) frame.request = { ...frame.request, act: again, isRestarted: true }
  return ended
}
