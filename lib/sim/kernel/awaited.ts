/** The promises and listeners of the host that simulated events settle. */

import type { Actor } from '../base/scheduler.ts'
import type { WaitReason } from '../files/wait.ts'

/** A promise or a listener of the host, which settles on JavaScript's event loop. */
export interface Awaited extends Actor {
  /** Whether it can settle now. */
  readonly isReady: boolean
  /** Keeps the JavaScript process alive while it is awaited. */
  readonly keepsAlive: boolean
  /** The descriptor whose readiness is awaited. */
  readonly fd?: number
  /** What it waits on, for a deadlock report. */
  readonly reason: WaitReason
  /** Settles the promise, or calls the listener, which stays subscribed. */
  settle(): void
}
