/** Detects a debugger that leaves a program stopped. */

import { readProc } from './proc.ts'

/**
 * The polling interval. No wait reports it: to its parent, a program that was in state T and is left there has never
 * changed.
 */
const lookMs = 100

/** Whether a process has a tracer, and whether it is in state T; undefined if it is gone. */
export function traceStateOf(pid: number): { isTraced: boolean; isStopped: boolean } | undefined {
  const status = readProc(`/proc/${pid}/status`)
  if (status === '') return undefined
  return { isTraced: /^TracerPid:\t[1-9]/m.test(status), isStopped: /^State:\tT/m.test(status) }
}

/**
 * Calls `left` each time the process is found in state T without the tracer that it had before. `wasTracedBefore`:
 * whether it had one a moment ago. A process that is detached in a group stop runs for an instant before it is in state
 * T again.
 */
export function watchLeftStopped(pid: number, left: () => void, wasTracedBefore = false): Disposable {
  let wasTraced = wasTracedBefore
  const timer = setInterval(() => {
    const { isTraced, isStopped } = traceStateOf(pid) ?? { isTraced: false, isStopped: false }
    if (wasTraced && !isTraced && isStopped) left()
    wasTraced = isTraced
  }, lookMs)
  // The program's life keeps the command alive, not this look.
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
