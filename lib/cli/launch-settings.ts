/** Options of the command that set what the program starts with: --cwd, --env, --uid, --gid, --rlimit and so on. */

import { mostId } from '../launch/options/option-checks.ts'
import type { LaunchOptions, ResourceLimit } from '../launch/options/options.ts'
import { isResourceName, type ResourceName, resourceNumbers } from '../system/resources.ts'
import { didYouMean } from './did-you-mean.ts'
import { quoted } from './printable.ts'
import { type Options, type Syntax, UsageError } from './usage.ts'

/** Their syntax. */
export const settingsSyntax = {
  flags: ['no-aslr', 'new-session'],
  options: ['cwd', 'uid', 'gid'],
  lists: ['env', 'rlimit'],
} as const satisfies Syntax

/** The options of launch() that the command has, too. */
export type LaunchSettings = Pick<LaunchOptions, 'cwd' | 'env' | 'uid' | 'gid' | 'rlimits' | 'aslr' | 'detached'>

/** The options of launch() for those given. @throws UsageError */
export function launchSettings({ flags, values, lists }: Options): LaunchSettings {
  const cwd = values.get('cwd')
  const uid = idOf(values, 'uid')
  const gid = idOf(values, 'gid')
  const env = lists.get('env')
  const rlimits = lists.get('rlimit')
  return {
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(env !== undefined && { env: { ...process.env, ...Object.fromEntries(env.map(variableOf)) } }),
    ...(rlimits !== undefined && { rlimits: Object.fromEntries(rlimits.map(limitOf)) }),
    ...(flags.has('no-aslr') && { aslr: false }),
    ...(flags.has('new-session') && { detached: true }),
  }
}

function idOf(values: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = values.get(name)
  if (text === undefined) return undefined
  const id = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (id <= mostId) return id
  throw new UsageError(`option '--${name}' needs a number, 0 to ${mostId}: ${quoted(text)}`)
}

function variableOf(text: string): [name: string, value: string] {
  const equals = text.indexOf('=')
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)]
  throw new UsageError(`option '--env' needs NAME=VALUE: ${quoted(text)}`)
}

function limitOf(text: string): [name: ResourceName, limit: ResourceLimit] {
  const [, name = text, soft = '', hard = soft] = /^([^=]*)=([^:]*)(?::(.*))?$/s.exec(text) ?? []
  if (!isResourceName(name)) {
    const known = Object.keys(resourceNumbers)
    const meant = didYouMean(name.replace(/^RLIMIT_/i, '').toLowerCase(), known) || `: one of ${known.join(', ')}`
    throw new UsageError(`unknown resource ${quoted(name)}${meant}`)
  }
  const [least, most] = [sideOf(soft), sideOf(hard)]
  if (Number.isNaN(least) || Number.isNaN(most)) {
    throw new UsageError(`option '--rlimit' needs NAME=SOFT[:HARD], numbers or 'unlimited': ${quoted(text)}`)
  }
  if (least <= most) return [name, [least, most]]
  throw new UsageError(`option '--rlimit' has a soft limit above the hard one: ${quoted(text)}`)
}

function sideOf(text: string): number {
  if (text === 'unlimited') return Number.POSITIVE_INFINITY
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}
