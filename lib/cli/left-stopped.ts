/** Detects a debugger that leaves a program stopped. */

import { traceStateOf } from './proc.ts'

/**
 * The polling interval. No wait reports it: to its parent, a program that was in state T and is left there has never
 * changed.
 */
const lookMs = 100

/**
 * Calls `left` each time the process is found in state T without the tracer that it had before. `wasTracedBefore`:
 * whether it had one a moment ago. A process that is detached in a group stop runs for an instant before it is in state
 * T again.
 */
export function watchLeftStopped(pid: number, left: () => void, wasTracedBefore = false): Disposable {
  let wasTraced = wasTracedBefore
  const timer = setInterval(() => {
    const { tracer, isStopped } = traceStateOf(pid) ?? { tracer: 0, isStopped: false }
    const isTraced = tracer !== 0
    if (wasTraced && !isTraced && isStopped) left()
    wasTraced = isTraced
  }, lookMs)
  // The program's life keeps the command alive, not this look.
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
