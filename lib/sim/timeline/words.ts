/** The words of a call's description: descriptors, flags, signals, bytes. */

import { constants } from '../../system/constants.ts'
import { type Signal, signalName } from '../../system/signals.ts'
import { countOf } from '../base/count-of.ts'

/** A descriptor's text: its number, with its file at the first mention: '3<pipe 5>'. */
export type DescribeFd = (fd: number) => string

const longestString = 14

/** The parts that are not empty. */
export const present = (...parts: string[]): string[] => parts.filter(part => part !== '')

/** '"hello"' for short printable text of several characters, else '5 bytes'. */
export function bytesText(data: Uint8Array): string {
  const text = String.fromCharCode(...data.subarray(0, longestString + 1)).replaceAll('\n', '\\n')
  return data.length > 1 && text.length <= longestString && /^[ -~]+$/.test(text)
    ? `"${text}"`
    : countOf(data.length, 'byte')
}

export function signalText(signal: Signal): string {
  return typeof signal === 'number' ? signalName(signal) : signal
}

/** 'O_CLOEXEC|O_NONBLOCK': the named bits, and any others as a number. */
export function flagsText(value: number | undefined, prefix: RegExp): string {
  let rest = (value ?? 0) >>> 0
  const names: string[] = []
  for (const [name, bit] of Object.entries(constants)) {
    const isOneBit = bit !== 0 && (bit & (bit - 1)) === 0
    if (!prefix.test(name) || !isOneBit || (rest & bit) === 0) continue
    names.push(name)
    rest = (rest & ~bit) >>> 0
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`)
  return names.join('|')
}

/** The constant of that value. */
export const nameOf = (value: number, prefix: RegExp): string =>
  Object.entries(constants).find(([name, each]) => prefix.test(name) && each === value)?.[0] ?? String(value)

/** A short text for any value. */
export function shortValue(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= longestString ? `"${value}"` : `"${value.slice(0, longestString)}…"`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return value === null || value === undefined ? String(value) : '…'
}
