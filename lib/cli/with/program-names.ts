/** The names of the program that a process has just exec'ed. */

import { readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import type { Tracee } from '../../launch/handles/tracee.ts'
import { SystemError } from '../../system/errors.ts'
import { readProc } from '../proc.ts'

/** The auxiliary vector's entry that points to the path of the exec, and the longest such path. */
const AT_EXECFN = 31n
const PATH_MAX = 4096
/** The kernel cuts the name in /proc/PID/comm to this length. */
const commLength = 15

/**
 * Whether a process at its exec stop has exec'ed a program of that name. A program has two names: the basename of the
 * path given to execve(2), and that of the file that runs. They differ for a symbolic link, and for a script, where the
 * interpreter runs.
 */
export function isNamed(tracee: Tracee, name: string): boolean {
  const names = [execPath(tracee), fileOf(tracee.pid)].filter(path => path !== undefined)
  if (names.length > 0) return names.some(path => basename(path) === name)
  // An ordinary user may neither read an unreadable program's memory nor see its file.
  const comm = readProc(`/proc/${tracee.pid}/comm`).trimEnd()
  return comm !== '' && comm === Buffer.from(name).subarray(0, commLength).toString('latin1')
}

/** The path as it was given to execve(2): the kernel has put it on the new program's stack. */
function execPath(tracee: Tracee): string | undefined {
  try {
    const address = auxiliary(readFileSync(`/proc/${tracee.pid}/auxv`), wordOf(tracee), AT_EXECFN)
    if (address === undefined) return undefined
    const bytes = tracee.readMemory(address, PATH_MAX)
    const end = bytes.indexOf(0)
    return end < 0 ? undefined : Buffer.from(bytes.subarray(0, end)).toString()
  } catch (error) {
    if (error instanceof SystemError || (error as NodeJS.ErrnoException).syscall !== undefined) return undefined
    throw error
  }
}

function wordOf(tracee: Tracee): 4 | 8 {
  const { architecture } = tracee.registers()
  return architecture === 'x64' || architecture === 'arm64' ? 8 : 4
}

/** The value of an entry of an auxiliary vector: pairs of words. */
function auxiliary(vector: Uint8Array, word: 4 | 8, type: bigint): bigint | undefined {
  const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength)
  const read = (at: number) => (word === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)))
  for (let at = 0; at + 2 * word <= vector.byteLength; at += 2 * word) if (read(at) === type) return read(at + word)
  return undefined
}

function fileOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '')
  } catch {
    return undefined
  }
}
