/** A comparison with the C library's environment, which the addon sees once it is loaded. */

/** Whether the C library's environment is this, byte by byte: entries 'KEY=value', each terminated by a NUL. */
type IsEnvironment = (entries: Uint8Array) => boolean

let provided: IsEnvironment | undefined

/** The native System calls this, in the first thread: process.env of a worker is a copy. */
export function provideCEnvironment(isEnvironment: IsEnvironment): void {
  provided = isEnvironment
}

/** Whether the C library's environment is this; false if it is not known. */
export function isCEnvironment(entries: Uint8Array): boolean {
  return provided?.(entries) === true
}
