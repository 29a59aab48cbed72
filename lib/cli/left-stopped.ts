/** Detects a debugger that leaves a program stopped. */

import { processStat, traceStateOf } from './proc.ts'

/**
 * The polling interval. No wait reports it: to its parent, a program that was in state T and is left there has never
 * changed.
 */
const lookMs = 100

/**
 * Calls `left` each time the process is found in state T without the tracer that it had before. `wasTracedBefore`:
 * whether it had one a moment ago.
 */
export function watchLeftStopped(pid: number, left: () => void, wasTracedBefore = false): Disposable {
  let wasTraced = wasTracedBefore
  let usedTicks = processStat(pid)?.usedTicks
  const timer = setInterval(() => {
    const isTraced = (traceStateOf(pid)?.tracer ?? 0) !== 0
    if (!isTraced && !wasTraced) return
    const now = processStat(pid)
    if (isTraced) {
      wasTraced = true
      usedTicks = now?.usedTicks
      return
    }
    // A process that loses its tracer in a group stop runs for an instant before it is in state T again, on a busy
    // machine some time later: until then it is runnable, and has used no processor time, or one tick that came just
    // then.
    if (now?.state === 'R' && now.usedTicks - (usedTicks ?? 0) <= 1) return
    wasTraced = false
    if (now?.state === 'T') left()
  }, lookMs)
  // The program's life keeps the command alive, not this look.
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
