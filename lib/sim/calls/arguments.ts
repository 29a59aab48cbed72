/** Checks that the addon makes by itself for the native System: objects that only look like what they should be. */

import { checkAbortSignal, checkBytes, invalidType } from '../../system/arguments.ts'

/** A real Uint8Array, with bytes behind it: neither a proxy of one nor something that borrowed its prototype. */
export function checkBuffer(value: unknown, name: string): Uint8Array {
  const bytes = checkBytes(value, name)
  if (!ArrayBuffer.isView(bytes)) throw invalidType(name, 'an instance of Buffer or Uint8Array', value)
  return bytes
}

/** A real AbortSignal, or undefined. */
export function checkCancellation(value: unknown): AbortSignal | undefined {
  const signal = checkAbortSignal(value)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType('options.signal', 'an instance of AbortSignal', value)
  }
  return signal
}
