/** The id maps of a child's user namespace, written by the parent while the child waits for them. */

import { isErrno, nameStep } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { requireOwnProc } from '../base/own-proc.ts'

/** Lines of /proc/PID/uid_map and gid_map. */
export interface IdMaps {
  readonly uidMap: string | undefined
  readonly gidMap: string | undefined
}

/** Writes the maps of a child. @throws SystemError of step 'uidMap' or 'gidMap' */
export function writeIdMaps(system: System, pid: number, { uidMap, gidMap }: IdMaps): void {
  const write = (name: string, text: string) => {
    const path = `/proc/${pid}/${name}`
    requireOwnProc(system, path, pid)
    system.writeFile(path, text)
  }
  if (uidMap !== undefined) inStep('uidMap', () => write('uid_map', uidMap))
  if (gidMap === undefined) return
  inStep('gidMap', () => {
    try {
      write('gid_map', gidMap)
    } catch (error) {
      // Without CAP_SETGID the kernel demands this: the namespace could otherwise drop a group that denies access.
      if (!isErrno(error, 'EPERM')) throw error
      write('setgroups', 'deny')
      write('gid_map', gidMap)
    }
  })
}

function inStep(step: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    nameStep(error, step)
    throw error
  }
}
