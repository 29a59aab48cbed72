/** The errors of arguments that are refused, in Node's words and with Node's codes. */

type CodedError = Error & { code: string }

/** An error with one of Node's codes. */
export function coded<E extends Error>(error: E, code: string): E & CodedError {
  return Object.assign(error, { code })
}

/** Of a value in a message: an argument may be a whole file. */
const longestShown = 200

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') return `an instance of ${constructorName(value)}`
  return `type ${typeof value} (${String(value).slice(0, 40)})`
}

// What an object says of itself is its own: a getter or a proxy may throw, a name need not be a string.
function constructorName(value: object): string {
  try {
    const { name } = value.constructor
    return typeof name === 'string' ? name : 'Object'
  } catch {
    return 'Object'
  }
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
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${String(value)}`),
    'ERR_OUT_OF_RANGE',
  )
}

/** ERR_INVALID_ARG_VALUE, in Node's words. */
export function invalidValue(name: string, why: string, value?: unknown): TypeError & CodedError {
  const text = typeof value === 'string' ? `'${value}'` : String(value)
  const received =
    value === undefined ? '' : `. Received ${text.length > longestShown ? `${text.slice(0, longestShown)}…` : text}`
  return coded(new TypeError(`The argument '${name}' ${why}${received}`), 'ERR_INVALID_ARG_VALUE')
}
