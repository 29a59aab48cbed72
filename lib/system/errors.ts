/** The errors of the package. Each has a stable `code`; messages may change. */

// Must load before any class with a dispose method. Everything imports this module, so it does.
import './disposal-symbols.ts'
import { describeErrno, errnoOf } from './errno.ts'
import type { ExitStatus } from './wait-status.ts'

/** The parts of a {@link SystemError}. */
export interface SystemErrorDetails {
  /** The errno, as a name or as a number of either sign. */
  errno: string | number
  /** The system call that failed, by its C name. */
  syscall: string
  /** The path argument of the call. */
  path?: string | undefined
  /** The process that the call is about. */
  pid?: number | undefined
  /** Of a launch: the step that failed ('chdir', 'execve' …). */
  step?: string | undefined
  /** A helpful sentence, appended to the message. */
  hint?: string | undefined
}

/** Adds a launch's step to a SystemError without one, in place, which keeps its stack. Other errors stay unchanged. */
export let nameStep: (error: unknown, step: string) => void

/**
 * A system call failed: `code` is the errno's name ('EAGAIN'), `errno` its negative value as in Node.
 *
 * The message reads `EAGAIN: resource temporarily unavailable, read`. A quoted path follows the call, if there is one.
 */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  /** The errno's name: 'EAGAIN'. */
  readonly code: string
  /** The errno's negative value, as in Node. */
  readonly errno: number
  /** The system call that failed, by its C name. */
  readonly syscall: string
  /** The path argument of the call. */
  declare readonly path?: string
  /** The process that the call is about. */
  declare readonly pid?: number
  /** Of a launch: the step that failed ('chdir', 'execve' …). */
  declare readonly step?: string
  readonly #details: SystemErrorDetails

  static {
    nameStep = (error, step) => {
      if (!(error instanceof SystemError) || error.step !== undefined || Object.isFrozen(error)) return
      const { message, stack = '' } = error
      const named = messageOf({ ...error.#details, step })
      Object.assign(error, { step, message: named, stack: stack.replace(message, () => named) })
    }
  }

  /** The package itself constructs these. Other implementations of System should throw them, too. */
  constructor(details: SystemErrorDetails) {
    super(messageOf(details))
    this.#details = details
    const errno = errnoNumber(details)
    const { code } = describeErrno(errno)
    this.code = code
    this.errno = -errno
    this.syscall = details.syscall
    if (details.path !== undefined) this.path = details.path
    if (details.pid !== undefined) this.pid = details.pid
    if (details.step !== undefined) this.step = details.step
  }
}

function errnoNumber({ errno }: SystemErrorDetails): number {
  return typeof errno === 'string' ? (errnoOf(errno) ?? 0) : Math.abs(errno)
}

function messageOf(details: SystemErrorDetails): string {
  const { code, message } = describeErrno(errnoNumber(details))
  const path = details.path === undefined ? '' : ` '${details.path}'`
  const step = details.step === undefined || details.step === details.syscall ? '' : ` (${details.step})`
  const hint = details.hint === undefined ? '' : `: ${details.hint}`
  return `${code}: ${message}, ${details.syscall}${path}${step}${hint}`
}

/** Whether an error is a SystemError with one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is SystemError {
  return error instanceof SystemError && codes.includes(error.code)
}

/** The other side of a channel is gone, or this side is closed. */
export class ChannelClosedError extends Error {
  override readonly name = 'ChannelClosedError'
  readonly code = 'ERR_CHANNEL_CLOSED'
  constructor(why = 'the other side was closed before a notification came') {
    super(`channel closed: ${why}`)
  }
}

/** How a child ended, for messages: 'exited with 1'. */
export function describeExit(status: ExitStatus): string {
  return status.kind === 'exited' ? `exited with ${status.code}` : `was killed by ${status.signal}`
}

/**
 * A child ended before its program started, although no step of the launch failed. A signal from outside or the
 * launcher's hook killed it.
 */
export class ChildDiedError extends Error {
  override readonly name = 'ChildDiedError'
  readonly code = 'ERR_CHILD_DIED'
  /** The child's former pid. */
  readonly pid: number
  /** How the child ended. */
  readonly status: ExitStatus
  constructor(pid: number, status: ExitStatus) {
    super(`the child ${pid} ${describeExit(status)} before its program was started`)
    this.pid = pid
    this.status = status
  }
}

/** A launched program has ended, or has closed its end, before it reported that it was ready. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError'
  readonly code = 'ERR_NOT_READY'
  /** The child's pid. */
  readonly pid: number
  /** How the child ended; null if it lives, or if another waiter has reaped it. */
  readonly status: ExitStatus | null
  /** The errno that the program reported by sd_notify(3)'s ERRNO=, negative as in Node. */
  declare readonly errno?: number
  constructor(pid: number, why: string, details: { status?: ExitStatus | null; errno?: number | undefined } = {}) {
    const { status = null, errno } = details
    const reported = errno === undefined ? undefined : describeErrno(Math.abs(errno))
    super(
      `the child ${pid} ${why}${reported === undefined ? '' : `; it reported ${reported.code}: ${reported.message}`}`,
    )
    this.pid = pid
    this.status = status
    if (errno !== undefined) this.errno = errno
  }
}

/** A deadline given as `timeoutMs` passed. */
export class TimedOutError extends Error {
  override readonly name = 'TimedOutError'
  readonly code = 'ERR_TIMED_OUT'
  constructor(what: string, timeoutMs: number) {
    super(`${what} did not finish within ${timeoutMs} ms`)
  }
}

/** The simulated world cannot go on: every process waits, and nothing is left that could end a wait. */
export class DeadlockError extends Error {
  override readonly name = 'DeadlockError'
  readonly code = 'ERR_DEADLOCK'
}

/** The native system is required but unavailable; `causes` has the error of every attempt. */
export class NativeUnavailableError extends Error {
  override readonly name = 'NativeUnavailableError'
  readonly code = 'ERR_NATIVE_UNAVAILABLE'
  /** The error of every attempt, in order. */
  readonly causes: readonly Error[]
  /** `cure`: a sentence on what to do, appended to the causes. */
  constructor(causes: readonly Error[], cure?: string) {
    const lines = causes.map(cause => `  - ${cause.message.replaceAll('\n', ' ')}`)
    const last = cure === undefined ? [] : [cure]
    super(['the native system is not available here:', ...lines, ...last].join('\n'), { cause: causes[0] })
    this.causes = causes
  }
}
