/** The process state from before Node changed it. bin/tracegate.js records it as a note. */

import { Buffer } from 'node:buffer'
import type { LaunchOptions } from '../launch/options/options.ts'
import { InheritedFds } from '../launch/stdio/inherited-fds.ts'

/** Open descriptors and closed standard descriptors, as far as they are known; signals ignored and blocked. */
export interface Inherited {
  readonly fds: readonly number[] | undefined
  readonly closed: readonly number[]
  readonly ignored: readonly number[]
  readonly blocked: readonly number[]
}

const nothing: Inherited = { fds: undefined, closed: [], ignored: [], blocked: [] }
const variable = 'TRACEGATE_INHERITED'
// sh and cat set these. They stay if the original environment had them.
const setByShell = ['IFS', 'PWD', 'OLDPWD', 'SHLVL', '_']

/**
 * Reads the note, and restores process.env to its form at the command's start.
 *
 * The note is a list of lines. First come `pid N`, then `fd N` for each descriptor. Then follow the status and the
 * command line of a process with the same signals (U+0001 stands for a newline there). The rest is environment
 * variables that sh may have lost or changed.
 */
function takeInherited(): Inherited {
  const note = process.env[variable]
  delete process.env[variable]
  const [head, ...lines] = note?.split('\n') ?? []
  // The environment carries a note for another process.
  if (head !== `pid ${process.pid}`) return nothing
  const fds = lines.flatMap(line => /^fd (\d+)$/.exec(line)?.[1] ?? []).map(Number)
  const end = lines.indexOf(`/proc/${process.pid}/environ`)
  // Without /proc the note is empty.
  if (end < 0) return nothing
  restoreEnvironment(lines.slice(end + 1))
  const status = lines.find(line => line.startsWith('Name:')) ?? ''
  const closed = [0, 1, 2].filter(fd => !fds.includes(fd))
  return { fds, closed, ignored: signalsIn(status, 'SigIgn'), blocked: signalsIn(status, 'SigBlk') }
}

function restoreEnvironment(entries: readonly string[]): void {
  for (const name of setByShell) delete process.env[name]
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    if (equals > 0) process.env[entry.slice(0, equals)] = entry.slice(equals + 1).replaceAll('\x01', '\n')
  }
}

/** The signals in a set of /proc/PID/status: 16 hexadecimal digits. */
function signalsIn(status: string, field: string): number[] {
  const digits = new RegExp(`\\x01${field}:\\t([0-9a-f]{16})`).exec(status)?.[1]
  if (digits === undefined) return []
  const set = Buffer.from(digits, 'hex').readBigUInt64BE()
  return Array.from({ length: 64 }, (_, index) => index + 1).filter(signal => (set >> BigInt(signal - 1)) & 1n)
}

/**
 * Options of launch() that restore the original state for the program, `without` one descriptor, and with descriptors
 * of this process `placed` at other numbers. A simulated program gets the standard descriptors only: others are real.
 */
export function asStarted({
  without,
  placed,
  isReal = true,
}: {
  without?: number | undefined
  placed?: ReadonlyMap<number, number>
  isReal?: boolean
} = {}): Pick<LaunchOptions, 'stdio' | 'ignoreSignals' | 'signalMask'> {
  const { fds = [], closed, ignored, blocked } = inherited
  return {
    stdio: new InheritedFds(isReal ? fds.filter(fd => fd !== without) : [], closed, placed),
    ignoreSignals: ignored,
    signalMask: blocked,
  }
}

/** The lowest descriptors above 2 that the command was not started with: sh can redirect to 3 to 9 only. */
export function freeFds(count: number): number[] {
  const free: number[] = []
  for (let fd = 3; free.length < count; fd++) if (inherited.fds?.includes(fd) !== true) free.push(fd)
  return free
}

/** The state at the command's start. */
export const inherited: Inherited = takeInherited()
