/** What the command was started with and Node has changed since. bin/tracegate.js has noted it. */

import { Buffer } from 'node:buffer'
import { InheritedFds } from '../launch/inherited-fds.ts'
import type { LaunchOptions } from '../launch/options.ts'

/** Descriptors and standard descriptors that were closed, as far as they were noted; the signals that were ignored and blocked. */
export interface Inherited {
  readonly fds: readonly number[] | undefined
  readonly closed: readonly number[]
  readonly ignored: readonly number[]
  readonly blocked: readonly number[]
}

const nothing: Inherited = { fds: undefined, closed: [], ignored: [], blocked: [] }
const variable = 'TRACEGATE_INHERITED'
// sh and cat set them; an environment that has them had them already.
const setByShell = ['IFS', 'PWD', 'OLDPWD', 'SHLVL', '_']

/**
 * Reads the note, and gives process.env the form that it had when the command was started.
 *
 * The note is a list of lines: `pid N`, `fd N` for each descriptor, then the status and the command line of a process with the same signals
 * (newlines are U+0001 there), then those variables of the environment that sh may have lost or changed.
 */
function takeInherited(): Inherited {
  const note = process.env[variable]
  delete process.env[variable]
  const [head, ...lines] = note?.split('\n') ?? []
  // A note for another process came along in an environment.
  if (head !== `pid ${process.pid}`) return nothing
  const fds = lines.flatMap(line => /^fd (\d+)$/.exec(line)?.[1] ?? []).map(Number)
  const end = lines.indexOf(`/proc/${process.pid}/environ`)
  // Without /proc nothing is known.
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

/** The signals of a set in /proc/PID/status: 16 hexadecimal digits. */
function signalsIn(status: string, field: string): number[] {
  const digits = new RegExp(`\\x01${field}:\\t([0-9a-f]{16})`).exec(status)?.[1]
  if (digits === undefined) return []
  const set = Buffer.from(digits, 'hex').readBigUInt64BE()
  return Array.from({ length: 64 }, (_, index) => index + 1).filter(signal => (set >> BigInt(signal - 1)) & 1n)
}

/** The options of launch() for a program that is to have what the command was started with, but for one descriptor. */
export function asStarted({
  without,
}: {
  without?: number | undefined
} = {}): Pick<LaunchOptions, 'stdio' | 'ignoreSignals' | 'signalMask'> {
  const { fds = [], closed, ignored, blocked } = inherited
  return {
    stdio: new InheritedFds(
      fds.filter(fd => fd !== without),
      closed,
    ),
    ignoreSignals: ignored,
    signalMask: blocked,
  }
}

/** What the command was started with. */
export const inherited: Inherited = takeInherited()
