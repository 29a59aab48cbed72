/** Signals by name and by number, as signal(7) and kill(1) know them (the same numbers on x86-64 and arm64). */

import { invalidType } from './argument-errors.ts'

/** The standard signals; above them are the real-time signals, which queue. */
export const standardSignals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const

const realTimeMin = 34
/** The highest signal number. */
export const realTimeMax = 64

/**
 * A signal's name. Real-time signals are SIGRTMIN, SIGRTMIN+n and SIGRTMAX. SIG32 and SIG33 are the two that libc
 * reserves.
 */
export type SignalName = keyof typeof standardSignals | 'SIGRTMIN' | `SIGRTMIN+${number}` | 'SIGRTMAX' | `SIG${number}`

/** A signal by name or by number. */
export type Signal = SignalName | number

const aliases: Readonly<Record<string, number>> = { SIGIOT: 6, SIGPOLL: 29, SIGCLD: 17 }

const standardNames = Object.keys(standardSignals) as (keyof typeof standardSignals)[]

function realTimeName(number: number): SignalName {
  if (number === realTimeMin) return 'SIGRTMIN'
  return number === realTimeMax ? 'SIGRTMAX' : `SIGRTMIN+${number - realTimeMin}`
}

/** A signal number's name. An unknown one becomes `SIG` and its number, so that every wait status has a text. */
export function signalName(number: number): SignalName {
  if (typeof number !== 'number') throw invalidType('number', 'of type number', number)
  const standard = standardNames[number - 1]
  if (standard !== undefined) return standard
  const isRealTime = Number.isInteger(number) && number >= realTimeMin && number <= realTimeMax
  return isRealTime ? realTimeName(number) : `SIG${number}`
}

/** The number of a signal name; undefined for an unknown name. */
export function signalNumber(name: string): number | undefined {
  if (typeof name !== 'string') throw invalidType('name', 'of type string', name)
  if (Object.hasOwn(standardSignals, name)) return standardSignals[name as keyof typeof standardSignals]
  if (Object.hasOwn(aliases, name)) return aliases[name]
  const plain = /^SIG([1-9][0-9]{0,2})$/.exec(name)
  return plain ? Number(plain[1]) : realTimeNumber(name)
}

/** Real-time signals count from both ends: SIGRTMIN+29 and SIGRTMAX-1 are one signal. */
function realTimeNumber(name: string): number | undefined {
  if (name === 'SIGRTMIN') return realTimeMin
  if (name === 'SIGRTMAX') return realTimeMax
  const [, end, digits] = /^SIGRT(MIN\+|MAX-)([1-9][0-9]?)$/.exec(name) ?? []
  const number = end === 'MIN+' ? realTimeMin + Number(digits) : realTimeMax - Number(digits)
  // SIGRTMAX-30 is SIGRTMIN, but SIGRTMIN+30 is refused: the last signal has one name only.
  return number >= realTimeMin && number < realTimeMax ? number : undefined
}
