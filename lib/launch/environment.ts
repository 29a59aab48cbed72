/** The environment of a program: what JavaScript sees, read once. */

import { checkObject, invalidType, invalidValue } from '../system/arguments.ts'

/** An environment as execve takes it. */
export interface Environment {
  /** 'KEY=value', in their order. */
  readonly entries: readonly string[]
  /** PATH as it was found, for the search: undefined where there is none. */
  readonly path: unknown
  /** What messages call PATH. */
  readonly pathName: string
}

/** As the runtime has made it; it may have been replaced since. */
const environmentOfProcess = (globalThis as { process?: { env?: unknown } }).process?.env

/**
 * Reads an environment as child_process does: its enumerable properties, inherited ones too; values that are no strings by String(), undefined ones
 * left out.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for a symbol, ERR_INVALID_ARG_VALUE for a NUL: the kernel would see another variable.
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
      // The value is not shown: it may be a secret.
      throw invalidValue(`${name}.${JSON.stringify(key).slice(1, -1)}`, 'must be a string without null bytes')
    }
    entries.push(entry)
  }
  // process.env asks the C library again for each key that is to be enumerable. All of its keys are.
  for (const key of given === environmentOfProcess ? Object.getOwnPropertyNames(given) : Object.keys(given)) add(key)
  for (const key in Object.getPrototypeOf(given)) if (!Object.hasOwn(given, key)) add(key)
  return { entries, path, pathName: `${name}.PATH` }
}

/** The environment that this thread of JavaScript has now; an empty one in a runtime without processes. */
export function ownEnvironment(): Environment {
  return readEnvironment((globalThis as { process?: { env?: unknown } }).process?.env ?? {}, 'process.env')
}
