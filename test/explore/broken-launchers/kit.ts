/** The shape of the broken launchers, and the actions that all of them use. */

import type { SimulatedKernel } from '../../../lib/sim/index.ts'
import type { ChildAction } from '../../../lib/system/child-program.ts'
import { constants } from '../../../lib/system/constants.ts'
import type { System } from '../../../lib/system/system.ts'

export { constants }

/** The argument that explore() passes to a scenario. */
export interface World {
  readonly kernel: SimulatedKernel
  readonly system: System
}

/** A launcher with a known bug, and the same launcher without it. */
export interface BrokenLauncher {
  readonly broken: (world: World) => void | Promise<void>
  readonly mended: (world: World) => void | Promise<void>
  /** What explore() must report for the broken launcher. */
  readonly kind: 'error' | 'deadlock' | 'leak'
  readonly message: RegExp
  /** Faults that the bug needs in order to show. Default: none. */
  readonly faults?: number
}

/** One notification. */
export const notification = Uint8Array.of(1)

/** An exec of a program without arguments. */
export function exec(file: string): ChildAction {
  return { op: 'execve', files: [file], argv: [file], env: [] }
}

/** Continues a traced child from its stop, then expects its exec stop and a clean exit. */
export function runToEnd(system: System, pid: number): void {
  system.ptraceCont(pid)
  const stop = system.waitpid(pid)?.status
  if (stop?.kind !== 'stopped' || stop.event !== 'exec') throw new Error(`no exec stop, but ${JSON.stringify(stop)}`)
  system.ptraceCont(pid)
  expectEnd(system, pid)
}

/** Waits for the child and expects a clean exit. */
export function expectEnd(system: System, pid: number): void {
  const status = system.waitpid(pid)?.status
  if (status?.kind !== 'exited' || status.code !== 0) throw new Error(`no good end, but ${JSON.stringify(status)}`)
}
