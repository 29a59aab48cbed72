/** The environment of a program, read once from a JavaScript object. */

import { types } from 'node:util'
import { checkObject, invalidType, invalidValue } from '../../system/arguments.ts'
import { isCEnvironment } from '../../system/c-environment.ts'
import { encodeList } from '../../system/encoded-list.ts'

/** An environment as execve takes it. */
export interface Environment {
  /** 'KEY=value', in order. */
  readonly entries: readonly string[]
  /** The value of PATH, for the search; undefined where there is none. */
  readonly path: unknown
  /** The name of PATH in error messages. */
  readonly pathName: string
}

/** A variable as it was read from an object. */
type Variable = readonly [key: string, value: unknown]

/** The result of reading an object, kept for the next object with the same variables: most launches are alike. */
interface Reading {
  readonly variables: readonly Variable[]
  readonly environment: Environment
  /** The entries, each terminated by a NUL. */
  readonly bytes: Uint8Array
}

let lastReading: Reading | undefined

/** The last reading of process.env, if it equals the C library's environment byte by byte. */
let ownReading: Reading | undefined

/** The runtime's original object: user code may replace process.env later. */
const environmentOfProcess = (globalThis as { process?: { env?: unknown } }).process?.env

/** Whether environmentOfProcess shows the C library's environment; undefined until asked. */
let isMirror: boolean | undefined

/**
 * Reads an environment as child_process does: every enumerable property, inherited ones too. String() converts other
 * values; undefined values are left out.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for a symbol, ERR_INVALID_ARG_VALUE for a NUL: the kernel would see another
 * variable.
 */
export function readEnvironment(env: unknown, name: string): Environment {
  return readObject(env, name).environment
}

/** The current environment of this JavaScript thread; empty in a runtime without processes. */
export function ownEnvironment(): Environment {
  const env = (globalThis as { process?: { env?: unknown } }).process?.env ?? {}
  if (env !== environmentOfProcess) return readEnvironment(env, 'process.env')
  if (ownReading !== undefined && isOwnEnvironment(env, ownReading)) return ownReading.environment
  const reading = readObject(env, 'process.env')
  ownReading = isOwnEnvironment(env, reading) ? reading : undefined
  return reading.environment
}

/** Whether another reading of process.env would give the same. That reading itself would take ten times as long. */
function isOwnEnvironment(env: object, { bytes }: Reading): boolean {
  if (!isCEnvironment(bytes)) return false
  for (const _ in Object.getPrototypeOf(env)) return false
  isMirror ??= mirrorsCLibrary(env)
  return isMirror
}

/**
 * Whether an object shows the C library's environment, as Node's own process.env does. A test runner's copy does not:
 * a variable set there reaches no C library. Only Node's own object refuses accessors.
 */
function mirrorsCLibrary(env: object): boolean {
  if (types.isProxy(env)) return false
  const probe = Symbol()
  if (!Reflect.isExtensible(env)) return false
  try {
    Object.defineProperty(env, probe, { get: () => undefined, configurable: true })
  } catch {
    return true
  }
  delete (env as { [probe]?: unknown })[probe]
  return false
}

function readObject(env: unknown, name: string): Reading {
  const given = checkObject(env, name)
  const variables = given === environmentOfProcess ? variablesOfProcess(given) : variablesOf(given)
  if (lastReading !== undefined && areSame(variables, lastReading.variables)) return lastReading
  const reading = encode(variables, name)
  // Another object may convert to another string the next time.
  if (variables.every(([, value]) => typeof value === 'string')) lastReading = reading
  return reading
}

/** The enumerable properties of an object: the last reading's own array, if they are the same. */
function variablesOf(given: Record<string, unknown>): readonly Variable[] {
  const last = lastReading?.variables ?? []
  let same = 0
  let variables: Variable[] | undefined
  for (const key in given) {
    const value = given[key]
    const before = last[same]
    if (variables === undefined && before !== undefined && before[0] === key && before[1] === value) same++
    else {
      variables ??= last.slice(0, same)
      variables.push([key, value])
    }
  }
  return variables ?? (same === last.length ? last : last.slice(0, same))
}

/** The variables of Node's own process.env: all keys are enumerable, and for-in would query the C library for each. */
function variablesOfProcess(given: Record<string, unknown>): readonly Variable[] {
  const variables: Variable[] = Object.getOwnPropertyNames(given).map(key => [key, given[key]])
  for (const key in Object.getPrototypeOf(given)) if (!Object.hasOwn(given, key)) variables.push([key, given[key]])
  return variables
}

function encode(variables: readonly Variable[], name: string): Reading {
  const entries: string[] = []
  let path: unknown
  for (const [key, value] of variables) {
    if (value === undefined) continue
    if (typeof value === 'symbol') throw invalidType(`${name}.${key}`, 'of type string', value)
    if (key === 'PATH') path = value
    const entry = `${key}=${value}`
    if (entry.includes('\0')) {
      // The message omits the value: it may be a secret.
      throw invalidValue(`${name}.${JSON.stringify(key).slice(1, -1)}`, 'must be a string without null bytes')
    }
    entries.push(entry)
  }
  const bytes = encodeList(entries)
  return { variables, environment: { entries, path, pathName: `${name}.PATH` }, bytes }
}

function areSame(a: readonly Variable[], b: readonly Variable[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i]![0] !== b[i]![0] || a[i]![1] !== b[i]![1]) return false
  return true
}
