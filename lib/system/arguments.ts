/**
 * Checks, before any system call, of what cannot reach the kernel: wrong types, numbers over 32 bits, NULs in strings.
 *
 * The kernel judges everything else, with its own errno. The errors are Node's: ERR_INVALID_ARG_TYPE (TypeError),
 * ERR_OUT_OF_RANGE (RangeError), ERR_INVALID_ARG_VALUE (TypeError).
 */

import { coded, invalidType, invalidValue, outOfRange } from './argument-errors.ts'
import { siginfoBytes } from './siginfo.ts'
import { realTimeMax, signalNumber } from './signals.ts'

export { invalidReturn, invalidType, invalidValue, outOfRange } from './argument-errors.ts'

/** A whole number that fits C's int. */
export function checkInt(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  if ((value | 0) !== value) throw outOfRange(name, Number.isInteger(value) ? 'within 32 bits' : 'an integer', value)
  return value
}

/** A count: a whole number, not negative, that fits C's int. */
export function checkNotNegative(value: unknown, name: string): number {
  if (checkInt(value, name) < 0) throw outOfRange(name, '>= 0', value)
  return value as number
}

/** A list item that is a whole number and fits C's int. */
export function checkIntItem(value: unknown, name: () => string): number {
  return typeof value === 'number' && (value | 0) === value ? value : checkInt(value, name())
}

export function checkNumber(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  return value
}

export function checkFinite(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidType(name, 'a finite number', value)
  return value
}

/** A 32-bit mask, signed or unsigned, as unsigned: EPOLLIN | EPOLLET is negative in JavaScript. */
export function checkMask(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value)
  if (value < -0x80000000 || value > 0xffffffff) throw outOfRange(name, 'within 32 bits', value)
  return value >>> 0
}

/** Milliseconds. Every negative value means no deadline. Fractions round up, so that no deadline comes early. */
export function checkTimeout(value: unknown, name = 'timeoutMs'): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
  if (value === Number.POSITIVE_INFINITY) return -1
  if (Number.isNaN(value) || Math.ceil(value) > 0x7fffffff) throw outOfRange(name, 'at most 2147483647', value)
  return value < 0 ? -1 : Math.ceil(value)
}

// These getters inspect the object itself: instanceof also accepts objects that only inherit from Uint8Array, and a
// subclass may have a length of its own.
const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype)
const typedArrayKind = getterOf(Symbol.toStringTag) as (this: unknown) => string | undefined
const typedArrayLength = getterOf('length') as (this: Uint8Array) => number

function getterOf(property: string | symbol): unknown {
  return Object.getOwnPropertyDescriptor(typedArray, property)?.get
}

/** Bytes to send or a buffer to fill: a Uint8Array (Buffers are). */
export function checkBytes(value: unknown, name: string): Uint8Array {
  if (typedArrayKind.call(value) !== 'Uint8Array') {
    throw invalidType(name, 'an instance of Buffer or Uint8Array', value)
  }
  const bytes = value as Uint8Array
  // A detached buffer looks empty: a read would report end of file, a write success.
  if (bytes.length === 0 && !isUsable(bytes)) {
    throw invalidValue(name, 'must not be on memory that was transferred or has shrunk')
  }
  return bytes
}

/** The 128 bytes of a siginfo_t. */
export function checkSiginfo(value: unknown, name: string): Uint8Array {
  const bytes = checkBytes(value, name)
  // Of a length that is not the bytes' own, the kernel would read on behind them.
  const length = typedArrayLength.call(bytes)
  if (length !== siginfoBytes) {
    throw invalidValue(name, `must have the ${siginfoBytes} bytes of a siginfo_t`, `${length} bytes`)
  }
  return bytes
}

/** A number of bytes to read, or the buffer to read them into. */
export function checkAreaToRead(value: unknown, name: string): number | Uint8Array {
  if (typeof value === 'number') return checkNotNegative(value, name)
  if (typedArrayKind.call(value) === 'Uint8Array') return checkBytes(value, name)
  throw invalidType(name, 'of type number or an instance of Buffer or Uint8Array', value)
}

/** Whether the memory behind the bytes still exists. Detached or shrunk buffers have length 0. */
export function isUsable(bytes: Uint8Array): boolean {
  try {
    Uint8Array.prototype.at.call(bytes, 0)
    return true
  } catch {
    return false
  }
}

/** A string, NULs allowed. */
export function checkText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value)
  return value
}

/** A string that C can hold: without NUL. */
export function checkString(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value)
  if (value.includes('\0')) throw invalidValue(name, 'must be a string without null bytes', JSON.stringify(value))
  return value
}

/** A list item that is a string without NUL. */
export function checkStringItem(value: unknown, name: () => string): string {
  return typeof value === 'string' && !value.includes('\0') ? value : checkString(value, name())
}

/** A signal by name or number, as a number; 0 included, with which kill(2) only checks for existence. */
export function checkSignal(value: unknown, name = 'signal'): number {
  if (typeof value === 'number') return checkInt(value, name)
  if (typeof value !== 'string') throw invalidType(name, 'a signal name or number', value)
  const number = signalNumber(value)
  if (number === undefined) {
    // Node's words, with the argument's name if the call takes more than one signal.
    const where = name === 'signal' ? '' : ` in "${name}"`
    throw coded(new TypeError(`Unknown signal${where}: ${value}`), 'ERR_UNKNOWN_SIGNAL')
  }
  return number
}

/** An optional signal to deliver with a ptrace request: 0 is none. */
export function checkDeliveredSignal(value: unknown): number {
  return value === undefined ? 0 : checkSignal(value)
}

/** A list item that is a member of a signal set, as a number. */
export function checkSignalOfSet(value: unknown, name: () => string): number {
  const signal = checkSignal(value, name())
  if (signal < 1 || signal > realTimeMax) throw outOfRange(name(), `a signal, 1 to ${realTimeMax}`, signal)
  return signal
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value)
  return value
}

export function checkFunction(value: unknown, name: string): (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value)
  return value as (...args: never[]) => unknown
}

/**
 * Copies a list, reading each item once: a getter may answer differently the second time.
 *
 * Names are built for errors only. Building one for each item would take longer than the checks.
 */
export function checkList<T>(value: unknown, name: () => string, read: (item: unknown, name: () => string) => T): T[] {
  if (!Array.isArray(value)) throw invalidType(name(), 'an instance of Array', value)
  const { length } = value
  const copy: T[] = []
  for (let i = 0; i < length; i++) copy.push(read(value[i], () => `${name()}[${i}]`))
  return copy
}

/** An object with named fields, not an array. */
export function checkObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(name, 'of type object', value)
  return value as Record<string, unknown>
}

/** An object without inherited properties. V8 makes Object.create(null) a slow dictionary, but not this. */
class Bare {
  [name: string]: unknown
}
Reflect.deleteProperty(Bare.prototype, 'constructor')
Object.setPrototypeOf(Bare.prototype, null)

/**
 * Copies options into an object that inherits nothing, reading each once. An unknown option is refused by name.
 *
 * Inherited properties count, and the accessors of a class, which are not enumerable. Those of Object.prototype do not:
 * any module may have put them there. Methods and other properties that are not enumerable may have any name.
 * `check` receives each given value that is not undefined, and returns the one to use.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for what is no object, ERR_INVALID_ARG_VALUE for an unknown option, even
 * an undefined one.
 */
export function checkOptions<Name extends string>(
  value: unknown,
  name: string,
  known: readonly Name[],
  check?: (option: Name, value: unknown) => unknown,
): { readonly [Option in Name]?: unknown } {
  const given = checkObject(value, name)
  const options = new Bare()
  for (
    let from: object | null = given;
    from !== null && from !== Object.prototype;
    from = Object.getPrototypeOf(from)
  ) {
    for (const option of Object.getOwnPropertyNames(from)) {
      // A silently ignored option would be a security hole: consider a misspelt `uid`.
      if (!(known as readonly string[]).includes(option)) {
        if (!Object.prototype.propertyIsEnumerable.call(from, option)) continue
        throw invalidValue(`${name}.${option}`, `is unknown; known are ${known.join(', ')}`)
      }
      if (option in options) continue
      const setting = given[option]
      options[option] = setting === undefined || check === undefined ? setting : check(option as Name, setting)
    }
  }
  return options as { readonly [Option in Name]?: unknown }
}

/**
 * An object with fields of these names only: a misspelt field would be a hole, as an unknown option would be.
 *
 * Short calls cannot afford a copy: the caller must read each field once.
 */
export function checkFields<Name extends string>(
  value: unknown,
  name: string | (() => string),
  known: readonly Name[],
): { readonly [Field in Name]?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidType(typeof name === 'string' ? name : name(), 'of type object', value)
  }
  for (const field in value) {
    // checkOptions refuses the field by name, unless Object.prototype has it.
    if (!known.includes(field as Name)) return checkOptions(value, typeof name === 'string' ? name : name(), known)
  }
  return value as { readonly [Field in Name]?: unknown }
}

/** An AbortSignal, or undefined. */
export function checkAbortSignal(value: unknown, name = 'options.signal'): AbortSignal | undefined {
  if (value === undefined) return undefined
  // Old polyfills lack throwIfAborted(), and the reason that it throws.
  const { throwIfAborted, addEventListener } = Object(value) as Partial<AbortSignal>
  if (typeof throwIfAborted !== 'function' || typeof addEventListener !== 'function') {
    throw invalidType(name, 'an instance of AbortSignal', value)
  }
  return value as AbortSignal
}

/** A virtual address of 64 bits, as a bigint. */
export function checkAddress(value: unknown, name = 'address'): bigint {
  if (typeof value !== 'bigint') throw invalidType(name, 'of type bigint', value)
  if (BigInt.asUintN(64, value) !== value) throw outOfRange(name, '>= 0n and within 64 bits', value)
  return value
}

const sizeFields = ['rows', 'columns'] as const

/** The size of a terminal's window. The kernel holds each number in 16 bits. */
export function checkWindowSize(value: unknown, name: string): { rows: number; columns: number } {
  const { rows, columns } = checkFields(value, name, sizeFields)
  return { rows: checkCharacters(rows, `${name}.rows`), columns: checkCharacters(columns, `${name}.columns`) }
}

function checkCharacters(value: unknown, name: string): number {
  if (checkInt(value, name) !== ((value as number) & 0xffff)) throw outOfRange(name, '>= 0 and <= 65535', value)
  return value as number
}

const pollFields = ['fd', 'events'] as const
const epollFields = ['events', 'data'] as const

/** An item of poll's list: a descriptor and an event mask. */
export function checkPollRequest(value: unknown, name: () => string): { fd: number; events: number } {
  const { fd, events } = checkFields(value, name, pollFields)
  if (typeof fd !== 'number' || (fd | 0) !== fd) checkInt(fd, `${name()}.fd`)
  // Fast path: a small mask cannot fail, so no name is built for an error.
  if (typeof events === 'number' && (events | 0) === events) return { fd: fd as number, events: events >>> 0 }
  return { fd: fd as number, events: checkMask(events, `${name()}.events`) }
}

/** An event to register with epoll: a mask, and a safe integer that epoll_wait hands back. */
export function checkEpollEvent(value: unknown, name: string): { events: number; data: number } {
  const { events, data } = checkFields(value, name, epollFields)
  const mask = checkMask(events, `${name}.events`)
  const number = checkNumber(data, `${name}.data`)
  if (!Number.isSafeInteger(number)) throw outOfRange(`${name}.data`, 'a safe integer', data)
  return { events: mask, data: number }
}
