/** The checks of single options of launch(): each returns the value to use. */

import { fileURLToPath } from 'node:url'
import {
  checkBytes,
  checkFunction,
  checkInt,
  checkList,
  checkOptions,
  checkSignalOfSet,
  checkString,
  invalidType,
  invalidValue,
  outOfRange,
} from '../../system/arguments.ts'
import type { NamespaceName } from '../../system/namespaces.ts'
import { type ResourceName, resourceNumbers } from '../../system/resources.ts'
import { checkCpu, checkLimit, checkNamespace } from '../../system/setting-arguments.ts'
import type { LaunchOptions } from './options.ts'

/** The check of an option. */
export type Check<Value> = (value: unknown, name: string) => Value

/** The largest user or group id: to the kernel, the next number means 'leave it as it is'. */
export const mostId = 0xfffffffe

/** The most supplementary groups, NGROUPS_MAX. */
const mostGroups = 65_536

/** The most lines of an id map since Linux 4.15. */
const mostRanges = 340

/** The size of a struct sock_filter, and the most that a filter has (BPF_MAXINSNS). */
const instructionBytes = 8
const mostInstructions = 4096

const resourceNames = Object.keys(resourceNumbers) as ResourceName[]

/** A path, or that of a file: URL. @throws TypeError ERR_INVALID_URL_SCHEME for another URL. */
export function checkDirectory(value: unknown, name: string): string {
  if (typeof value === 'string') return checkString(value, name)
  // Not instanceof: a URL may come from another realm.
  const href = typeof value === 'object' && value !== null && 'href' in value ? value.href : undefined
  if (typeof href !== 'string') throw invalidType(name, 'of type string or an instance of URL', value)
  return checkString(fileURLToPath(href), name)
}

/** Signals other than the refused ones. */
export function checkSignals(...refused: readonly number[]): Check<number[]> {
  return (value, name) =>
    checkList(
      value,
      () => name,
      (item, at) => {
        const signal = checkSignalOfSet(item, at)
        if (refused.includes(signal)) throw invalidValue(at(), 'must be a signal that can be ignored', item)
        return signal
      },
    )
}

/** The function beforeExec. */
export function checkHook(value: unknown, name: string): NonNullable<LaunchOptions['beforeExec']> {
  return checkFunction(value, name) as NonNullable<LaunchOptions['beforeExec']>
}

/** One of these words. */
export function checkOneOf<const Allowed extends readonly unknown[]>(...allowed: Allowed): Check<Allowed[number]> {
  const shown = allowed.map(each => (typeof each === 'string' ? `'${each}'` : String(each))).join(', ')
  return (value, name) => {
    if (!allowed.includes(value)) throw invalidValue(name, `must be one of ${shown}`, value)
    return value as Allowed[number]
  }
}

/** A whole number within a range. */
export function checkNumber(least: number, most: number): Check<number> {
  return (value, name) => {
    if (typeof value !== 'number') throw invalidType(name, 'of type number', value)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw outOfRange(name, `an integer, ${least} to ${most}`, value)
  }
}

/** A path, which must not be empty. */
export function checkPath(value: unknown, name: string): string {
  const path = checkString(value, name)
  if (path === '') throw invalidValue(name, 'must not be empty', path)
  return path
}

/** One signal. */
export function checkOneSignal(value: unknown, name: string): number {
  return checkSignalOfSet(value, () => name)
}

/** A descriptor, by its number or by a stream that has one. */
export function checkTerminal(value: unknown, name: string): number {
  const fd = typeof value === 'object' && value !== null && 'fd' in value ? value.fd : value
  if (typeof fd !== 'number') throw invalidType(name, 'a descriptor, or a stream with one', value)
  if (checkInt(fd, name) < 0) throw outOfRange(name, 'a descriptor, >= 0', fd)
  return fd
}

/** A pid, or -1 for 'any'. */
export function checkTracer(value: unknown, name: string): number {
  if (value === 'any') return -1
  if (typeof value === 'string') throw invalidValue(name, "must be a pid or 'any'", value)
  if (checkInt(value, name) <= 0) throw outOfRange(name, "a pid, > 0, or 'any'", value)
  return value as number
}

/** CPUs, at least one. */
export function checkAffinity(value: unknown, name: string): number[] {
  const cpus = checkList(value, () => name, checkCpu)
  if (cpus.length === 0) throw invalidValue(name, 'must name a CPU')
  return cpus
}

/** Group ids. */
export function checkGroups(value: unknown, name: string): number[] {
  const groups = checkList(
    value,
    () => name,
    (item, at) => checkNumber(0, mostId)(item, at()),
  )
  if (groups.length > mostGroups) throw outOfRange(`${name}.length`, `at most ${mostGroups}`, groups.length)
  return groups
}

/** Namespaces, each once. */
export function checkNamespaces(value: unknown, name: string): NamespaceName[] {
  return [...new Set(checkList(value, () => name, checkNamespace))]
}

/** Both limits of one resource. */
export interface CheckedLimit {
  readonly resource: ResourceName
  readonly soft: number
  readonly hard: number
}

/** Resource limits by name. */
export function checkLimits(value: unknown, name: string): CheckedLimit[] {
  const limits = checkOptions(value, name, resourceNames)
  return resourceNames.flatMap(resource => {
    const limit = limits[resource]
    return limit === undefined ? [] : [{ resource, ...bothSides(limit, `${name}.${resource}`) }]
  })
}

function bothSides(limit: unknown, name: string): { soft: number; hard: number } {
  if (!Array.isArray(limit)) {
    const both = checkLimit(limit, () => name)
    return { soft: both, hard: both }
  }
  const [soft, hard, ...more] = checkList(limit, () => name, checkLimit)
  if (soft === undefined || hard === undefined || more.length > 0) {
    throw invalidValue(name, 'must be a number or [soft, hard]', `a list of ${limit.length}`)
  }
  if (soft > hard) throw outOfRange(`${name}[0]`, `at most the hard limit, ${hard}`, soft)
  return { soft, hard }
}

/** Lines of an id map, as /proc/PID/uid_map takes them. */
export function checkIdMap(value: unknown, name: string): string {
  const ranges = checkList(value, () => name, checkRange)
  if (ranges.length === 0 || ranges.length > mostRanges) {
    throw outOfRange(`${name}.length`, `1 to ${mostRanges}`, ranges.length)
  }
  return ranges.map(range => `${range.join(' ')}\n`).join('')
}

function checkRange(value: unknown, name: () => string): number[] {
  const range = checkList(value, name, (item, at) => checkNumber(0, 0xffffffff)(item, at()))
  if (range.length !== 3) throw invalidValue(name(), 'must be [inside, outside, count]', `a list of ${range.length}`)
  if (range[2] === 0) throw outOfRange(`${name()}[2]`, 'at least 1', 0)
  return range
}

/** A seccomp filter: whole instructions. */
export function checkFilter(value: unknown, name: string): Uint8Array {
  const filter = new Uint8Array(checkBytes(value, name))
  const { length } = filter
  if (length > 0 && length % instructionBytes === 0 && length <= mostInstructions * instructionBytes) return filter
  const range = `a multiple of ${instructionBytes}, at most ${mostInstructions * instructionBytes}`
  throw outOfRange(`${name}.length`, range, length)
}
