/** A time limit and a caller's AbortSignal as one signal, on the System's clock. */

import { checkAbortSignal, checkOptions, checkTimeout } from '../system/arguments.ts'
import { TimedOutError } from '../system/errors.ts'
import type { Readiness } from '../system/system.ts'

/** What governs something awaited: a limit, a cancellation. */
export interface WaitOptions {
  /** Its abort rejects at once, with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which what has not come rejects with TimedOutError; without end when left out, negative or Infinity. */
  readonly timeoutMs?: number | undefined
}

/** The options of a wait, each read once. */
export function checkWaitOptions(options: unknown): WaitOptions {
  return checkOptions(options, 'options', ['signal', 'timeoutMs']) as WaitOptions
}
/** Takes what is there already of what is waited for, without waiting; whether there was anything. */
export type LastLook = () => boolean

export class Deadline implements Disposable {
  /** Aborted when the time is over (TimedOutError) or the caller's signal is (its reason); undefined where there is neither. */
  readonly signal: AbortSignal | undefined
  readonly #ended: AbortController | undefined

  /**
   * Checks the options; throws the signal's reason where it is aborted already.
   *
   * An event loop that was blocked runs its timers first: the limit is seen to have passed before what came in time is. So it looks once more.
   */
  constructor(system: Readiness, what: string, options: WaitOptions, look: LastLook = () => false) {
    const { signal, timeoutMs: limitMs } = options
    const outer = checkAbortSignal(signal)
    const timeoutMs = limitMs === undefined ? -1 : checkTimeout(limitMs)
    outer?.throwIfAborted()
    this.signal = outer
    if (timeoutMs < 0) return
    const ended = new AbortController()
    const limit = new AbortController()
    this.#ended = ended
    this.signal = limit.signal
    outer?.addEventListener('abort', () => limit.abort(outer.reason), { signal: ended.signal })
    passAndLook(system, timeoutMs, look, ended.signal).then(
      () => limit.abort(new TimedOutError(what, timeoutMs)),
      () => {}, // the wait was over first
    )
  }

  [Symbol.dispose](): void {
    this.#ended?.abort()
  }
}

/**
 * Resolves when the time has passed and a look finds nothing more.
 *
 * Where one finds something, what comes of it gets as much time as the look came late: a launch that was starved of our answers takes it up there.
 */
async function passAndLook(system: Readiness, timeoutMs: number, look: LastLook, ended: AbortSignal): Promise<void> {
  let due = system.now() + timeoutMs
  await system.sleep(timeoutMs, { signal: ended })
  while (!ended.aborted && looksWith(look)) {
    const now = system.now()
    const lateMs = Math.max(0, now - due)
    due = now + lateMs
    await system.sleep(lateMs, { signal: ended })
  }
  ended.throwIfAborted()
}

function looksWith(look: LastLook): boolean {
  try {
    return look()
  } catch (error) {
    // A listener's fault, thrown by an event that the look has brought: its own, and no reason to wait on.
    queueMicrotask(() => {
      throw error
    })
    return false
  }
}

/** Settles as `promise` does, or rejects with the signal's reason if that comes first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) {
      // No longer awaited: its rejection is no unhandled one.
      promise.catch(() => {})
      return abort()
    }
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
