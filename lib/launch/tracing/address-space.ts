/** The memory that one or more traced processes share, with the breakpoints in it. */

import type { System } from '../../system/system.ts'
import type { StopStatus, Trap } from '../../system/wait-status.ts'
import type { Going } from './resumption.ts'
import type { Stop, Task } from './task.ts'

interface Member {
  readonly pid: number
  readonly tasks: ReadonlyMap<number, Task>
}

export class AddressSpace {
  readonly #system: System
  readonly #members = new Set<Member>()

  constructor(system: System) {
    this.#system = system
  }

  read(tid: number, address: bigint, into: number | Uint8Array): Uint8Array {
    return this.#system.readMemory(tid, address, into)
  }

  write(tid: number, address: bigint, data: Uint8Array): number {
    return this.#system.writeMemory(tid, address, data)
  }

  get hasBreakpoints(): boolean {
    return false
  }

  /** Whether a step over a breakpoint is under way: no other thread may run then. */
  get isGated(): boolean {
    return false
  }

  add(process: Member): void {
    this.#members.add(process)
  }

  remove(process: Member): void {
    this.#members.delete(process)
  }

  /** Resumes a task, over the breakpoint that it stands on. */
  resume(task: Task, going: Going, stop: Stop, signal: number): void {
    task.resumption.go(going, stop, signal)
    task.left(stop)
  }

  /** Whether a stop is the end of a step over a breakpoint. */
  hasStepped(_task: Task, _status: StopStatus): boolean {
    return false
  }

  /** A task has stopped or ended. */
  changed(): void {}

  /** The breakpoint or the watched address that a stop is for; 'stale' for a breakpoint that is no more. */
  trapOf(_task: Task, _status: StopStatus): Trap | 'stale' | undefined {
    return undefined
  }

  /** Takes this memory's breakpoints out of a copy of it. */
  cleanCopy(_tid: number): void {}
}
