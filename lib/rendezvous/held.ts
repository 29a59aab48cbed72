/** A held program as the adapter sees it. */

import { errnoOf } from '../system/errno.ts'
import { ChannelClosedError, ChildDiedError, SystemError } from '../system/errors.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import type { AdapterMessage, ErrorMessage, ExitedMessage, HeldMessage } from './protocol.ts'

/** How a program in another terminal ended. */
export interface RemoteExit {
  /** The exit code; null after a signal. */
  readonly code: number | null
  /** The signal that ended it; null after an exit. */
  readonly signal: SignalName | null
}

type Say = (message: AdapterMessage) => void

/** Makes a Held, for Rendezvous. */
export let newHeld: (message: HeldMessage, say: Say) => HeldParts

/** A Held, and the functions by which its connection drives it. */
export interface HeldParts {
  readonly held: Held
  attachable(): void
  exited(message: ExitedMessage): void
  /** The connection is gone. */
  gone(): void
}

/**
 * A program that a terminal's `tracegate hold --report` holds before its first instruction.
 *
 * It waits for one of attach(), release() and abort(). If the adapter ends before that, the program is killed. After
 * that it runs on without the adapter.
 */
export class Held {
  /** Its process ID. */
  readonly pid: number
  /** The path of its controlling terminal, '/dev/pts/3'; null if it has none. */
  readonly tty: string | null
  /** When it started, in clock ticks since boot (field 22 of /proc/PID/stat). With it, the pid names one process. */
  readonly startTime: number
  /** The program, as the command was given it. */
  readonly program: string
  /**
   * Resolves when the program has ended. Rejects with ChannelClosedError when the command that holds it has gone before
   * it could report the end.
   */
  readonly exited: Promise<RemoteExit>
  readonly #say: Say
  #attachable: Promise<void> | undefined
  #settleAttachable: { resolve(): void; reject(error: Error): void } | undefined
  // Set once the program has ended, or the connection has.
  #over: Error | undefined
  #isReleased = false
  #isAttachable = false

  static {
    newHeld = (message, say) => {
      let settle: { resolve(exit: RemoteExit): void; reject(error: Error): void } | undefined
      const exited = new Promise<RemoteExit>((resolve, reject) => {
        settle = { resolve, reject }
      })
      // It need not be awaited.
      exited.catch(() => {})
      const held = new Held(message, exited, say)
      return {
        held,
        attachable() {
          held.#isAttachable = true
          held.#settleAttachable?.resolve()
        },
        exited({ code, signal }) {
          const exit = { code, signal: signal as SignalName | null }
          held.#end(
            held.#wasLetGo
              ? held.#noProcess('release', 'the program has ended')
              : new ChildDiedError(held.pid, statusOf(exit)),
          )
          settle!.resolve(exit)
        },
        gone() {
          const error = new ChannelClosedError('the command that holds the program has gone')
          held.#end(error)
          settle!.reject(error)
        },
      }
    }
  }

  /** Held programs come from Rendezvous. */
  private constructor({ pid, tty, startTime, program }: HeldMessage, exited: Promise<RemoteExit>, say: Say) {
    this.pid = pid
    this.tty = tty
    this.startTime = startTime
    this.program = program
    this.exited = exited
    this.#say = say
  }

  /**
   * Has the program left in state T, untraced, and resolves once it is there: a debugger may attach. From then on any
   * SIGCONT lets it run, also that of a shell's fg.
   *
   * @throws (by rejection) ChildDiedError when it was killed before, ChannelClosedError when the command has gone,
   * SystemError ESRCH after release().
   */
  attach(): Promise<void> {
    if (this.#isReleased) return Promise.reject(this.#noProcess('attach', 'the program was released'))
    this.#attachable ??= new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      this.#settleAttachable = { resolve, reject }
      this.#say({ kind: 'attach' })
    })
    return this.#attachable
  }

  /**
   * Lets the program run, with no debugger. Idempotent. A rejection that nothing awaits does not count as unhandled.
   *
   * @throws (by rejection) ChildDiedError when it was killed before, ChannelClosedError when the command has gone,
   * SystemError ESRCH when it has ended after attach().
   */
  release(): Promise<void> {
    if (!this.#isReleased && this.#over !== undefined) {
      const refused = Promise.reject(this.#over)
      refused.catch(() => {})
      return refused
    }
    if (!this.#isReleased) this.#say({ kind: 'release' })
    this.#isReleased = true
    return Promise.resolve()
  }

  /**
   * Has the program killed if it has run no instruction; a running program is left alone. Resolves once it has ended,
   * or at once after attach() or release().
   */
  async abort(): Promise<void> {
    if (this.#over !== undefined) return
    this.#say({ kind: 'abort' })
    if (!this.#isReleased && this.#attachable === undefined) await this.exited.catch(() => {})
  }

  /** Whether it may have run: it was released, or is where a debugger or any SIGCONT lets it run. */
  get #wasLetGo(): boolean {
    return this.#isReleased || this.#isAttachable
  }

  #noProcess(syscall: string, hint: string): SystemError {
    return new SystemError({ errno: 'ESRCH', syscall, pid: this.pid, hint })
  }

  #end(error: Error): void {
    this.#over ??= error
    this.#settleAttachable?.reject(error)
  }
}

function statusOf({ code, signal }: RemoteExit): ChildDiedError['status'] {
  return signal === null || signalNumber(signal) === undefined
    ? { kind: 'exited', code: code ?? 0, signal: null }
    : { kind: 'signaled', code: null, signal, coreDumped: false }
}

/** The error of a launch that failed in the terminal, as launch() would have thrown it there. */
export function launchError({ step, code, path, message }: ErrorMessage): Error {
  const names = { ...(step !== null && { step }), ...(path !== null && { path }) }
  if (code === null || errnoOf(code) === undefined) {
    return Object.assign(new Error(message), { ...names, ...(code !== null && { code }) })
  }
  const error = new SystemError({ errno: code, syscall: step ?? 'launch', ...names })
  error.message = message
  return error
}
