/** A world that a random program runs in: a System, and what a comparison needs besides. */

import type { System } from '../../lib/system/system.ts'

/** The state of a child at rest. */
export type ChildState = 'waits' | 'stopped' | 'traced' | 'ended'

export interface World {
  readonly name: string
  readonly system: System
  /** The first number a program's descriptors get: all below are taken. */
  readonly firstFd: number
  /** The process that runs the program. */
  readonly pid: number
  readonly uid: number
  /** CAP_SYS_RESOURCE lets pipes grow past pipe-max-size, so programs must not ask for that. */
  readonly growsPipes: boolean
  /** The program that runs scripts, see test/fixtures/threads.c. */
  readonly threads: string
  /** Returns once no child can go on by itself; with `deep` also none of their threads and children. */
  settle(children: readonly number[], deep: boolean): void
  stateOf(child: number): ChildState
  /** Removes what is left of the program; the world is not used afterwards. */
  leave(): void
}

/** Opens fresh worlds of one kind, one for each program. */
export interface WorldKind {
  readonly name: string
  open(): World
  /** After the last program. */
  close(): void
}
