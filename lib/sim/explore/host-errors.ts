/**
 * Errors of the host's code that no call and no promise of the scenario carries: rejections nobody handles, errors thrown from callbacks.
 *
 * While schedules are explored they are taken from the JavaScript process, whose own listeners would end it, and belong to the schedule.
 */

import { removeFrom } from '../base/remove-from.ts'
import { WorldOverError } from '../kernel/kernel.ts'

type Listener = (error: unknown) => void

/** What there is of Node's process; a page has none. */
interface ProcessLike {
  on(event: string, listener: Listener): void
  off(event: string, listener: Listener): void
  listeners(event: string): Listener[]
  removeAllListeners(event: string): void
}

const events = ['unhandledRejection', 'uncaughtException'] as const

/** The explorations under way: the latest that ran is asked first. */
const takers: Listener[] = []
let restore: (() => void) | null = null

/** Hands errors to `taker` until the function returned is called. */
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

/** Of several explorations in one JavaScript process, the one whose run goes on now takes the errors. */
export function runs(taker: Listener): void {
  if (takers[takers.length - 1] === taker) return
  removeFrom(takers, taker)
  takers.push(taker)
}

/** A call to a world whose run is over belongs to the exploration of that world: if that is over too, to none of those under way. */
function takerOf(error: unknown): Listener | undefined {
  return error instanceof WorldOverError ? takers.find(taker => error.isFrom(taker)) : takers[takers.length - 1]
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
