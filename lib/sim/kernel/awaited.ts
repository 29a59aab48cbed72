/** What the host awaits on JavaScript's event loop. */

import type { Actor } from '../base/scheduler.ts'
import type { WaitReason } from '../files/wait.ts'

/** Something the host awaits. */
export interface Awaited extends Actor {
  /** It could settle now. */
  readonly isReady: boolean
  /** Holds the JavaScript process alive while the world moves. */
  readonly keepsAlive: boolean
  /** The descriptor whose readiness it is. */
  readonly fd?: number
  /** What it waits on, for a deadlock report. */
  readonly reason: WaitReason
  /** Settles; a subscription stays awaited. */
  settle(): void
}
