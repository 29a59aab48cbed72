/** Checks the options of explore() and fills in the defaults. */

import {
  checkAbortSignal,
  checkInt,
  checkOptions,
  invalidType,
  invalidValue,
  outOfRange,
} from '../../system/arguments.ts'
import type { FaultBounds } from './faults.ts'
import type { ExploreOptions, StrategyName } from './types.ts'

const strategies: readonly StrategyName[] = ['bounded', 'exhaustive', 'random', 'pct']
const optionNames: readonly (keyof ExploreOptions)[] = [
  'strategy',
  'preemptions',
  'faults',
  'portable',
  'maxSchedules',
  'seed',
  'signal',
  'onProgress',
]
const defaultPreemptions = 2
/** Default maxSchedules of 'random' and 'pct', which have no end of their own. */
const defaultSamples = 1000

/** Complete options. */
export interface Plan extends FaultBounds {
  readonly strategy: StrategyName
  readonly preemptions: number
  readonly maxSchedules: number
  readonly seed: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: ExploreOptions['onProgress']
}

function count(value: number, name: string): number {
  if (checkInt(value, name) < 0) throw outOfRange(name, '>= 0', value)
  return value
}

/** @throws TypeError or RangeError, with Node's codes, for an unknown or invalid option. */
export function planOf(options: ExploreOptions): Plan {
  const given = checkOptions(options, 'options', optionNames) as ExploreOptions
  const { strategy = 'bounded', preemptions = defaultPreemptions, faults = 0, portable = false } = given
  const { seed = 0, signal, onProgress } = given
  if (!strategies.includes(strategy))
    throw invalidValue('options.strategy', `must be one of '${strategies.join("', '")}'`, strategy)
  const isSampling = strategy === 'random' || strategy === 'pct'
  const { maxSchedules = isSampling ? defaultSamples : Number.POSITIVE_INFINITY } = given
  if (typeof maxSchedules !== 'number') throw invalidType('options.maxSchedules', 'of type number', maxSchedules)
  if (maxSchedules !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(maxSchedules) && maxSchedules >= 1))
    throw outOfRange('options.maxSchedules', 'an integer >= 1, or Infinity', maxSchedules)
  if (typeof seed !== 'number' || !Number.isFinite(seed)) throw invalidType('options.seed', 'a finite number', seed)
  if (typeof portable !== 'boolean') throw invalidType('options.portable', 'of type boolean', portable)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalidType('options.onProgress', 'of type function', onProgress)
  return {
    strategy,
    preemptions: count(preemptions, 'options.preemptions'),
    faults: count(faults, 'options.faults'),
    ...(portable && { portable }),
    maxSchedules,
    seed,
    signal: checkAbortSignal(signal),
    onProgress,
  }
}

/** @throws TypeError if the scenario is no function, or a generator function: called, it would run nothing. */
export function checkScenario(scenario: unknown): void {
  if (typeof scenario !== 'function') throw invalidType('scenario', 'of type function', scenario)
  if (/GeneratorFunction$/.test(String(Reflect.get(scenario, Symbol.toStringTag)))) {
    throw invalidValue('scenario', 'must be a plain or an async function: a program is a generator', scenario.name)
  }
}
