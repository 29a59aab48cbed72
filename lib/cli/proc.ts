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

/** State letter, parent, process group and session of a process; undefined if it is gone. */
export function processStat(
  pid: number,
): { state: string; parent: number; group: number; session: number } | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  // The fields follow the name, whose parentheses may contain any character.
  const [state, parent, group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state ? { state, parent: Number(parent), group: Number(group), session: Number(session) } : undefined
}

/** What names a process beyond its pid: when it started, in clock ticks since boot, and its controlling terminal. */
export function identityOf(pid: number): { startTime: number; tty: string | null } | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  // Field 3 of proc(5) comes first here.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [device, startTime] = [fields[7 - 3], fields[22 - 3]]
  return startTime === undefined ? undefined : { startTime: Number(startTime), tty: terminalPath(Number(device)) }
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
