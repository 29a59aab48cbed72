/** A time limit and a caller's AbortSignal as one signal, on the System's clock. */

import { checkAbortSignal, checkOptions, checkTimeout } from '../../system/arguments.ts'
import { TimedOutError } from '../../system/errors.ts'
import type { Readiness } from '../../system/system.ts'

/** The limit and the cancellation of a wait. */
export interface WaitOptions {
  /** Its abort rejects the wait at once, with its reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds until the wait rejects with TimedOutError. Without limit when left out, negative or Infinity.
   */
  readonly timeoutMs?: number | undefined
}

/** The options of a wait, each read once. */
export function checkWaitOptions(options: unknown): WaitOptions {
  return checkOptions(options, 'options', ['signal', 'timeoutMs']) as WaitOptions
}

/** Takes the events that have already come, without waiting; whether there were any. */
export type LastLook = () => boolean

export class Deadline implements Disposable {
  /**
   * Aborted with TimedOutError after the limit, or with the reason of the caller's signal; undefined without either.
   */
  readonly signal: AbortSignal | undefined
  readonly #ended: AbortController | undefined
  readonly #limit: { readonly due: number; readonly system: Readiness; readonly error: TimedOutError } | undefined

  /**
   * Checks the options; throws the signal's reason if it is already aborted.
   *
   * A blocked event loop runs its timers first: the limit fires before events that came in time are handled. So `look`
   * checks for such events once more before the abort.
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
    // Made here: the stack names the caller, which a timer's stack does not.
    const timedOut = new TimedOutError(what, timeoutMs)
    this.#limit = { due: system.now() + timeoutMs, system, error: timedOut }
    passAndLook(system, timeoutMs, look, ended.signal).then(
      () => limit.abort(timedOut),
      () => {}, // the wait was over first
    )
  }

  /** Throws TimedOutError once the limit is over: for long work, during which no timer fires. */
  throwIfOver(): void {
    const limit = this.#limit
    if (limit !== undefined && limit.system.now() > limit.due) throw limit.error
  }

  [Symbol.dispose](): void {
    // Not the default reason, which nothing sees: a DOMException has a stack.
    this.#ended?.abort(null)
  }
}

/** A timer is late by up to this much on an idle machine. */
const usuallyLateMs = 2

/**
 * Resolves when the time has passed and a look finds nothing more.
 *
 * A look that finds something extends the wait by as much as the look came late: the launch of a slow parent goes on in
 * that time. A limit that fires late extends the wait once even if the look finds nothing. The event loop may just have
 * handled an event that came in time.
 */
async function passAndLook(system: Readiness, timeoutMs: number, look: LastLook, ended: AbortSignal): Promise<void> {
  let due = system.now() + timeoutMs
  await system.sleep(timeoutMs, { signal: ended })
  let isExtended = false
  while (!ended.aborted) {
    const hasFound = looksWith(look)
    const now = system.now()
    const lateMs = Math.max(0, now - due)
    if (!hasFound && (isExtended || lateMs <= usuallyLateMs)) break
    isExtended = true
    due = now + lateMs
    await system.sleep(lateMs, { signal: ended })
  }
  ended.throwIfAborted()
}

function looksWith(look: LastLook): boolean {
  try {
    return look()
  } catch (error) {
    // The look raised an event whose listener threw: the error is uncaught, and no reason to extend the wait.
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
      // The promise is no longer awaited: its rejection must not be unhandled.
      promise.catch(() => {})
      return abort()
    }
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
