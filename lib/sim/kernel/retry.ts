import { blocked } from '../base/results.ts'
import type { Task } from '../processes/task.ts'

/** Lets a woken task's call try again: its result, or blocked. A signal that is pending ends it. */
export function tryAgain(task: Task): unknown {
  const wait = task.wait!
  if (wait.file !== undefined) task.kernel.touchFile(wait.file)
  const result = wait.attempt()
  if (result !== blocked) {
    task.unblock()
    task.kernel.observer?.({ kind: 'result', task, result })
    return result
  }
  if (!task.signalPending) {
    task.state = 'waiting'
    return blocked
  }
  const ended = wait.interrupted()
  task.unblock()
  task.kernel.observer?.({ kind: 'result', task, result: ended })
  const frame = task.frames[task.frames.length - 1]
  const again = wait.restart()
  if (again !== undefined && frame?.request) frame.request = { ...frame.request, act: again }
  return ended
}
