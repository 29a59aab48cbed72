/** Checks the options of explore() and fills in the defaults. */

import {
  checkAbortSignal,
  checkBoolean,
  checkFinite,
  checkFunction,
  checkNotNegative,
  checkNumber,
  checkOptions,
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

/** @throws TypeError or RangeError, with Node's codes, for an unknown or invalid option. */
export function planOf(options: ExploreOptions): Plan {
  const given = checkOptions(options, 'options', optionNames) as ExploreOptions
  const { strategy = 'bounded', preemptions = defaultPreemptions, faults = 0, portable = false } = given
  const { seed = 0, signal, onProgress } = given
  if (!strategies.includes(strategy))
    throw invalidValue('options.strategy', `must be one of '${strategies.join("', '")}'`, strategy)
  const isSampling = strategy === 'random' || strategy === 'pct'
  const { maxSchedules = isSampling ? defaultSamples : Number.POSITIVE_INFINITY } = given
  checkNumber(maxSchedules, 'options.maxSchedules')
  if (maxSchedules !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(maxSchedules) && maxSchedules >= 1))
    throw outOfRange('options.maxSchedules', 'an integer >= 1, or Infinity', maxSchedules)
  checkFinite(seed, 'options.seed')
  checkBoolean(portable, 'options.portable')
  if (onProgress !== undefined) checkFunction(onProgress, 'options.onProgress')
  return {
    strategy,
    preemptions: checkNotNegative(preemptions, 'options.preemptions'),
    faults: checkNotNegative(faults, 'options.faults'),
    ...(portable && { portable }),
    maxSchedules,
    seed,
    signal: checkAbortSignal(signal),
    onProgress,
  }
}

/** @throws TypeError if the scenario is no function, or a generator function: called, it would run nothing. */
export function checkScenario(scenario: unknown): void {
  const code = checkFunction(scenario, 'scenario')
  if (/GeneratorFunction$/.test(String(Reflect.get(code, Symbol.toStringTag)))) {
    throw invalidValue('scenario', 'must be a plain or an async function: a program is a generator', code.name)
  }
}
