/** A world that a random program runs in: a System, and what a comparison needs to know beside it. */

import type { System } from '../../lib/system/system.ts'

/** How a child is, once nothing moves. */
export type ChildState = 'waits' | 'stopped' | 'traced' | 'ended'

export interface World {
  readonly name: string
  readonly system: System
  /** The first number a program's descriptors get: all below are taken. */
  readonly firstFd: number
  /** The process that runs the program. */
  readonly pid: number
  readonly uid: number
  /** A pipe could be given more than its usual most (CAP_SYS_RESOURCE): programs do not ask for that. */
  readonly growsPipes: boolean
  /** Returns once none of the children can go on by itself. */
  settle(children: readonly number[]): void
  stateOf(child: number): ChildState
  /** Nothing is left of the program; the world may be thrown away. */
  leave(): void
}

/** Opens fresh worlds of one kind, one for each program. */
export interface WorldKind {
  readonly name: string
  open(): World
  /** After the last program. */
  close(): void
}
