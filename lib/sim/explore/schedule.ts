/**
 * Schedules as strings.
 *
 * Most choices of a run fall on their default; a schedule lists the others, its deviations.
 *
 *     1:4+57            version 1, up to 4 faults, 57 choices, all by default
 *     1:4p+57           the same with `portable` faults
 *     1:0+57,12s2/3     choice 12, a step ('s') between 3 actors, fell on the one with index 2
 *     …,12s2/3,5w1/2    the next deviation is 5 choices later, at choice 17: a wake
 */

import { invalidValue } from '../../system/arguments.ts'
import type { Choice } from '../base/scheduler.ts'
import type { FaultBounds } from './faults.ts'

const version = 1

/** The letter of each kind of choice. */
const letters: Readonly<Record<Choice['kind'], string>> = {
  step: 's',
  signal: 'd',
  'signal-thread': 't',
  wake: 'w',
  fault: 'f',
}
const kinds = new Map(Object.entries(letters).map(([kind, letter]) => [letter, kind as Choice['kind']]))

/** A choice that did not fall on its default. */
export interface Deviation {
  /** 0-based index of the choice in the run. */
  readonly at: number
  readonly kind: Choice['kind']
  /** Index of the chosen option, and the number of options. */
  readonly chosen: number
  readonly count: number
}

/** The choices of a run, which depend on the bound on faults. */
export interface Schedule extends FaultBounds {
  /** Number of choices in the run. */
  readonly choices: number
  readonly deviations: readonly Deviation[]
}

/** The string of a schedule. */
export function formatSchedule({ faults, portable, choices, deviations }: Schedule): string {
  const parts: string[] = []
  let last = 0
  for (const { at, kind, chosen, count } of deviations) {
    parts.push(`,${at - last}${letters[kind]}${chosen}/${count}`)
    last = at
  }
  return `${version}:${faults}${portable ? 'p' : ''}+${choices}${parts.join('')}`
}

/**
 * Parses a schedule.
 *
 * @throws TypeError (ERR_INVALID_ARG_VALUE) for a string that is no schedule; its message names the bad part.
 */
export function parseSchedule(text: string): Schedule {
  const bad = (why: string) => invalidValue('schedule', `must be a schedule as explore() reports it: ${why}`, text)
  const head = /^(\d{1,9}):(\d{1,9})(p?)\+(\d{1,9})(?=,|$)/.exec(text)
  if (head === null) throw bad("it begins like '1:0+57'")
  if (Number(head[1]) !== version) throw bad(`its version is ${head[1]}, and this release reads version ${version}`)
  const choices = Number(head[4])
  const deviations: Deviation[] = []
  let at = 0
  const rest = text.slice(head[0].length)
  for (const part of rest === '' ? [] : rest.slice(1).split(',')) {
    const found = /^(\d{1,9})([a-z])(\d{1,9})\/(\d{1,9})$/.exec(part)
    const kind = kinds.get(found?.[2] ?? '')
    if (found === null || kind === undefined) throw bad(`'${part}' is not a choice such as '12s2/3'`)
    at += Number(found[1])
    const chosen = Number(found[3])
    const count = Number(found[4])
    const ordered = deviations.length === 0 || Number(found[1]) > 0
    if (!ordered || at >= choices || chosen >= count) throw bad(`the choice '${part}' is out of range or order`)
    deviations.push({ at, kind, chosen, count })
  }
  return { faults: Number(head[2]), ...(head[3] === 'p' && { portable: true }), choices, deviations }
}
