/** A process's state in /proc. */

import { readFileSync } from 'node:fs'

/** The text of a /proc file, or '': its process may end at any moment. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

// The number in proc(5) of the first field that statFields() gives.
const firstField = 3

/** The fields of /proc/PID/stat from the third on. They follow the name, which may itself contain parentheses. */
function statFields(pid: number): string[] {
  const text = readProc(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** What /proc/PID/stat says of a process now. */
export interface ProcessStat {
  /** The state letter. */
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** The processor time of all its threads, in clock ticks (USER_HZ). */
  readonly usedTicks: number
}

/** The state of a process; undefined if it is gone. */
export function processStat(pid: number): ProcessStat | undefined {
  const fields = statFields(pid)
  const [state, parent, group, session] = fields
  if (!state) return undefined
  const usedTicks = Number(fields[14 - firstField]) + Number(fields[15 - firstField])
  return { state, parent: Number(parent), group: Number(group), session: Number(session), usedTicks }
}

/** What names a process beyond its pid: when it started, in clock ticks since boot, and its controlling terminal. */
export function identityOf(pid: number): { startTime: number; tty: string | null } | undefined {
  const fields = statFields(pid)
  const [device, startTime] = [fields[7 - firstField], fields[22 - firstField]]
  return startTime === undefined ? undefined : { startTime: Number(startTime), tty: terminalPath(Number(device)) }
}

/** The thread that traces a process, 0 for none, and whether the process is in state T; undefined if it is gone. */
export function traceStateOf(pid: number): { tracer: number; isStopped: boolean } | undefined {
  const status = readProc(`/proc/${pid}/status`)
  if (status === '') return undefined
  return { tracer: Number(/^TracerPid:\t(\d+)$/m.exec(status)?.[1] ?? 0), isStopped: /^State:\tT/m.test(status) }
}

/** The path of a terminal by its device number; null for 0, and for a device that this system does not know. */
function terminalPath(device: number): string | null {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00)
  if (device === 0) return null
  // Pseudo-terminals are in no /sys/dev/char.
  if (major >= 136 && major <= 143) return `/dev/pts/${(major - 136) * 256 + minor}`
  const name = /^DEVNAME=(.+)$/m.exec(readProc(`/sys/dev/char/${major}:${minor}/uevent`))?.[1]
  return name === undefined ? null : `/dev/${name}`
}
