/** The errors of arguments that are refused, in Node's words and with Node's codes. */

type CodedError = Error & { code: string }

/** An error with one of Node's codes. */
export function coded<E extends Error>(error: E, code: string): E & CodedError {
  return Object.assign(error, { code })
}

/** Values in messages are cut to this length: an argument may be a whole file. */
const longestShown = 200

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${nameOf(value) ?? ''}`
  if (typeof value === 'object') return `an instance of ${constructorName(value)}`
  return `type ${typeof value} (${String(value).slice(0, 40)})`
}

/** The `name` of a value; undefined if it is no string or its getter or proxy throws. */
function nameOf(value: { readonly name: unknown }): string | undefined {
  try {
    const { name } = value
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined
  }
}

function constructorName(value: object): string {
  try {
    // The constructor of a generator has no name.
    return nameOf(value.constructor) || Object.prototype.toString.call(value).slice(8, -1)
  } catch {
    return 'Object'
  }
}

/** A refused value, as the end of a message. Objects and functions are never converted to text, which may throw. */
function received(value: unknown): string {
  if (typeof value === 'string')
    return value.length > longestShown ? `'${value.slice(0, longestShown)}…'` : `'${value}'`
  return typeof value === 'object' || typeof value === 'function' ? shown(value) : String(value)
}

/** ERR_INVALID_ARG_TYPE, in Node's words. */
export function invalidType(name: string, expected: string, value: unknown): TypeError & CodedError {
  return coded(
    new TypeError(`The "${name}" argument must be ${expected}. Received ${shown(value)}`),
    'ERR_INVALID_ARG_TYPE',
  )
}

/** ERR_OUT_OF_RANGE, in Node's words. */
export function outOfRange(name: string, range: string, value: unknown): RangeError & CodedError {
  return coded(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${received(value)}`),
    'ERR_OUT_OF_RANGE',
  )
}

/** ERR_INVALID_ARG_VALUE, in Node's words. */
export function invalidValue(name: string, why: string, value?: unknown): TypeError & CodedError {
  const end = value === undefined ? '' : `. Received ${received(value)}`
  return coded(new TypeError(`The argument '${name}' ${why}${end}`), 'ERR_INVALID_ARG_VALUE')
}

/** ERR_INVALID_RETURN_VALUE, in Node's words: what a caller's own function has returned. */
export function invalidReturn(expected: string, name: string, value: unknown): TypeError & CodedError {
  return coded(
    new TypeError(`Expected ${expected} to be returned from the "${name}" function but got ${shown(value)}.`),
    'ERR_INVALID_RETURN_VALUE',
  )
}
