/** What a traced process is made from: how it came to be traced, and the user's objects of it. */

import type { ChildLife } from '../../children/child-life.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import type { Follow, Tracing } from '../tasks/options.ts'
import type { Task } from '../tasks/task.ts'
import type { ThreadFace } from '../tasks/task-state.ts'

/** Makes the user's objects. */
export interface Faces<Process> {
  /** The object of a process. */
  readonly process: object
  thread(task: Task): ThreadFace
  follow(child: Process): void
}

/** How a process came to be traced. */
export interface Origin<Process> {
  readonly life: ChildLife
  readonly tracing: Tracing
  readonly follow: Follow
  readonly exitKill: boolean
  /** 'launched': a child of this process. 'followed': a child of a tracee. 'stray': to be detached once it can be. */
  readonly kind: 'launched' | 'followed' | 'attached' | 'stray'
  readonly parent?: Process
  readonly space?: AddressSpace
}
