/** What the broken launchers share: their shape, and the few actions that every one of them writes. */

import type { SimulatedKernel } from '../../../lib/sim/index.ts'
import type { ChildAction } from '../../../lib/system/child-program.ts'
import { constants } from '../../../lib/system/constants.ts'
import type { System } from '../../../lib/system/system.ts'

export { constants }

/** What explore() gives a scenario. */
export interface World {
  readonly kernel: SimulatedKernel
  readonly system: System
}

/** A launcher with a known bug, beside itself without it. */
export interface BrokenLauncher {
  readonly broken: (world: World) => void | Promise<void>
  readonly mended: (world: World) => void | Promise<void>
  /** What explore() is to say of the broken one. */
  readonly kind: 'error' | 'deadlock' | 'leak'
  readonly message: RegExp
  /** Faults that the bug needs in order to show; none when left out. */
  readonly faults?: number
}

/** One notification. */
export const notification = Uint8Array.of(1)

/** The exec of a program without arguments. */
export function exec(file: string): ChildAction {
  return { op: 'execve', files: [file], argv: [file], env: [] }
}

/** Sends a traced child on from its stop, and sees it stop at its exec and end well. */
export function runToEnd(system: System, pid: number): void {
  system.ptraceCont(pid)
  const stop = system.waitpid(pid)?.status
  if (stop?.kind !== 'stopped' || stop.event !== 'exec') throw new Error(`no exec stop, but ${JSON.stringify(stop)}`)
  system.ptraceCont(pid)
  expectEnd(system, pid)
}

/** Waits for a child's end, which is to be a good one. */
export function expectEnd(system: System, pid: number): void {
  const status = system.waitpid(pid)?.status
  if (status?.kind !== 'exited' || status.code !== 0) throw new Error(`no good end, but ${JSON.stringify(status)}`)
}
