/** All families. */

import { descriptors } from './descriptors.ts'
import type { Family } from './family.ts'
import { mixed } from './mixed.ts'
import { pipes } from './pipes.ts'
import { polling } from './polling.ts'
import { processes } from './processes.ts'
import { messages, streams } from './sockets.ts'
import { threads } from './threads.ts'

export type { Family } from './family.ts'

export const familyNames = [
  'pipes',
  'streams',
  'messages',
  'polling',
  'descriptors',
  'processes',
  'threads',
  'mixed',
] as const
export type FamilyName = (typeof familyNames)[number]

/** The family of a name. `ownGroupIsOrphaned`: terminal stop signals have no effect in this process's group. */
export function familyOf(name: FamilyName, ownGroupIsOrphaned: boolean): Family {
  switch (name) {
    case 'processes':
      return processes(ownGroupIsOrphaned)
    case 'mixed':
      return mixed(ownGroupIsOrphaned)
    default:
      return { pipes, streams, messages, polling, descriptors, threads }[name]
  }
}
