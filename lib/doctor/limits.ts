/** The limits that launches reach: descriptors and processes. Read from /proc. */

import type { Fact } from './fact.ts'

/** The most descriptors that a launch with three pipes has open, beyond those that it keeps. */
const descriptorsOfLaunch = 12
/** Fewer free descriptors than this are a warning. */
const fewDescriptors = 64
const fewProcesses = 16

/** RLIMIT_NOFILE. `limits` is the text of /proc/self/limits, `used` the number of open descriptors. */
export function descriptorsFact(limits: string, used: number): Fact {
  const name = 'descriptors'
  const [soft, hard] = limit(limits, 'Max open files')
  const left = soft - used
  const detail = `${used} in use of ${shown(soft)}`
  if (left >= fewDescriptors) return { name, status: 'ok', detail }
  const cure = hard > soft ? `ulimit -n ${shown(hard)}` : 'a higher hard limit (ulimit -Hn)'
  return { name, status: 'warn', detail: `${detail}: a launch takes up to ${descriptorsOfLaunch}`, cure }
}

/** RLIMIT_NPROC. `used` is the number of this user's tasks. */
export function processesFact(limits: string, used: number, isRoot: boolean): Fact {
  const name = 'processes'
  const [soft, hard] = limit(limits, 'Max processes')
  const detail = `${used} of this user, of ${shown(soft)}`
  if (isRoot) return { name, status: 'ok', detail: `${detail}; no limit holds for root` }
  if (soft - used >= fewProcesses) return { name, status: 'ok', detail }
  const cure = hard > soft ? `ulimit -u ${shown(hard)}` : 'a higher hard limit (ulimit -Hu), or fewer processes'
  return {
    name,
    status: 'warn',
    detail: `${detail}: fork fails with EAGAIN at the limit`,
    cure,
  }
}

function limit(limits: string, name: string): [soft: number, hard: number] {
  const found = new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(limits)
  return [amount(found?.[1]), amount(found?.[2])]
}

function amount(text: string | undefined): number {
  return text === undefined || text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
}

function shown(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : String(value)
}
