/**
 * Stray errors of the host's code: unhandled rejections, and errors thrown from callbacks.
 *
 * They would end the JavaScript process. While schedules are explored its listeners are replaced, and a stray error is
 * the finding of the schedule being run.
 */

import { removeFrom } from '../base/remove-from.ts'
import { isInstance } from '../base/thrown.ts'
import { WorldOverError } from '../host/call-errors.ts'

type Listener = (error: unknown) => void

/** The part of Node's `process` used here; a page has none. */
interface ProcessLike {
  on(event: string, listener: Listener): void
  off(event: string, listener: Listener): void
  listeners(event: string): Listener[]
  removeAllListeners(event: string): void
}

const events = ['unhandledRejection', 'uncaughtException'] as const

/** The explorations under way; the one whose run is current is last. */
const takers: Listener[] = []
let restore: (() => void) | null = null

/** Passes stray errors to `taker` until the returned function is called. */
export function takeHostErrors(taker: Listener): () => void {
  if (takers.length === 0) restore = divert()
  takers.push(taker)
  return () => {
    removeFrom(takers, taker)
    if (takers.length > 0) return
    restore?.()
    restore = null
  }
}

/** Makes `taker` the current one: of several explorations at once, the one whose run goes on takes the errors. */
export function makeCurrent(taker: Listener): void {
  if (takers[takers.length - 1] === taker) return
  removeFrom(takers, taker)
  takers.push(taker)
}

/** The exploration an error belongs to. A late call to a finished run's world belongs to that world's, or to none. */
function takerOf(error: unknown): Listener | undefined {
  return isInstance(error, WorldOverError) ? takers.find(taker => error.isFrom(taker)) : takers[takers.length - 1]
}

function divert(): () => void {
  const { process } = globalThis as { process?: ProcessLike }
  if (typeof process?.removeAllListeners !== 'function') return () => {}
  const take: Listener = error => takerOf(error)?.(error)
  const others = events.map(event => {
    const listeners = process.listeners(event)
    process.removeAllListeners(event)
    process.on(event, take)
    return listeners
  })
  return () => {
    for (const [index, event] of events.entries()) {
      process.off(event, take)
      for (const listener of others[index]!) process.on(event, listener)
    }
  }
}
