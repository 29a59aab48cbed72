/** What an outside file is, and what its methods may answer. It is made by the caller: every answer is checked. */

import {
  checkBoolean,
  checkFunction,
  checkObject,
  invalidReturn,
  invalidType,
  outOfRange,
} from '../../system/arguments.ts'
import { errnoOf } from '../../system/errno.ts'

/**
 * The operations of an outside file. Without `read` it is write-only, without `write` read-only.
 *
 * An error that they throw with an errno's name as its `code`, as Node's own errors have, is the failure of the
 * simulated call. EAGAIN is none: there is no input, or no room, yet. EPIPE also sends SIGPIPE.
 */
export interface ExternalFile {
  /** Moves available bytes into the buffer; their number, 0 at end of file, undefined when there are none yet. */
  read?(buffer: Uint8Array): number | undefined
  /** Takes bytes; their number, 0 while there is no room. All of them if it returns nothing. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement takes all
  write?(data: Uint8Array): number | void
  /**
   * Calls back whenever there may be input or room; returns the function that ends the watch. Used only while a call
   * waits.
   */
  watch?(changed: () => void): () => void
  /**
   * Whether input or room comes while the JavaScript thread is blocked (false), as for a descriptor of the machine. A
   * host call then blocks until it does; otherwise the wait is a deadlock.
   */
  readonly changesWhileBlocked?: boolean
}

const methodNames = ['read', 'write', 'watch'] as const

/** An outside file as an option. */
export function checkExternalFile(value: unknown, name: string): ExternalFile {
  const file = checkObject(value, name)
  for (const method of methodNames) if (file[method] !== undefined) checkFunction(file[method], `${name}.${method}`)
  if (file.read === undefined && file.write === undefined) {
    throw invalidType(name, 'an object with a read or a write method', value)
  }
  if (file.changesWhileBlocked !== undefined) {
    checkBoolean(file.changesWhileBlocked, `${name}.changesWhileBlocked`)
  }
  return file as ExternalFile
}

/** The answer of `read` with room for so many bytes. */
export function bytesRead(answer: unknown, room: number): number | undefined {
  return answer === undefined ? undefined : bytesMoved(answer, 'read', room)
}

/** The answer of `write` to so many bytes. */
export function bytesWritten(answer: unknown, bytes: number): number {
  return answer === undefined ? bytes : bytesMoved(answer, 'write', bytes)
}

function bytesMoved(answer: unknown, method: string, most: number): number {
  if (typeof answer !== 'number') {
    throw invalidReturn('a number of bytes or undefined', `${method}() of the outside file`, answer)
  }
  if (Number.isInteger(answer) && answer >= 0 && answer <= most) return answer
  throw outOfRange(`${method}() of the outside file`, `an integer >= 0 && <= ${most}`, answer)
}

/** The negative errno of an error that names one; throws others again. */
export function errnoThrown(error: unknown): number {
  const code: unknown = (error as { code?: unknown } | null | undefined)?.code
  const errno = typeof code === 'string' ? errnoOf(code) : undefined
  if (errno === undefined) throw error
  return -errno
}
