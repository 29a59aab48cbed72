/** The environment of a program, read once from a JavaScript object. */

import { checkObject, invalidType, invalidValue } from '../system/arguments.ts'

/** An environment as execve takes it. */
export interface Environment {
  /** 'KEY=value', in order. */
  readonly entries: readonly string[]
  /** The value of PATH, for the search; undefined where there is none. */
  readonly path: unknown
  /** The name of PATH in error messages. */
  readonly pathName: string
}

/** The runtime's original object: user code may replace process.env later. */
const environmentOfProcess = (globalThis as { process?: { env?: unknown } }).process?.env

/**
 * Reads an environment as child_process does: every enumerable property, inherited ones too. String() converts other
 * values; undefined values are left out.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for a symbol, ERR_INVALID_ARG_VALUE for a NUL: the kernel would see another
 * variable.
 */
export function readEnvironment(env: unknown, name: string): Environment {
  const given = checkObject(env, name)
  const entries: string[] = []
  let path: unknown
  const add = (key: string) => {
    const value = given[key]
    if (value === undefined) return
    if (typeof value === 'symbol') throw invalidType(`${name}.${key}`, 'of type string', value)
    if (key === 'PATH') path = value
    const entry = `${key}=${value}`
    if (entry.includes('\0')) {
      // The message omits the value: it may be a secret.
      throw invalidValue(`${name}.${JSON.stringify(key).slice(1, -1)}`, 'must be a string without null bytes')
    }
    entries.push(entry)
  }
  // All keys of process.env are enumerable, and Object.keys would query the C library once more for each.
  for (const key of given === environmentOfProcess ? Object.getOwnPropertyNames(given) : Object.keys(given)) add(key)
  for (const key in Object.getPrototypeOf(given)) if (!Object.hasOwn(given, key)) add(key)
  return { entries, path, pathName: `${name}.PATH` }
}

/** The current environment of this JavaScript thread; empty in a runtime without processes. */
export function ownEnvironment(): Environment {
  return readEnvironment((globalThis as { process?: { env?: unknown } }).process?.env ?? {}, 'process.env')
}
