/** A time limit and a caller's AbortSignal as one signal, on the System's clock. */

import { checkAbortSignal, checkOptions, checkTimeout } from '../system/arguments.ts'
import { TimedOutError } from '../system/errors.ts'
import type { System } from '../system/system.ts'

/** What governs something awaited: a limit in milliseconds, a cancellation. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

/** The options of a wait, each read once. */
export function checkWaitOptions(options: unknown): WaitOptions {
  return checkOptions(options, 'options', ['signal', 'timeoutMs']) as WaitOptions
}

export class Deadline implements Disposable {
  /** Aborted when the time is over (TimedOutError) or the caller's signal is (its reason); undefined where there is neither. */
  readonly signal: AbortSignal | undefined
  readonly #ended: AbortController | undefined

  /** Checks the options; throws the signal's reason where it is aborted already. */
  constructor(system: System, what: string, options: WaitOptions) {
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
    system.sleep(timeoutMs, { signal: ended.signal }).then(
      () => limit.abort(new TimedOutError(what, timeoutMs)),
      () => {}, // the wait was over first
    )
  }

  [Symbol.dispose](): void {
    this.#ended?.abort()
  }
}

/** Settles as `promise` does, or rejects with the signal's reason if that comes first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) {
      // Nobody waits for it any more: its rejection is no unhandled one.
      promise.catch(() => {})
      return abort()
    }
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
