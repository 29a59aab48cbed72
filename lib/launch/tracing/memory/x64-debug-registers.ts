/** The debug registers of x64: four, for data and code alike. They trap after an access, and before an instruction. */

import { constants } from '../../../system/constants.ts'
import { isErrno } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import type { Trap } from '../../../system/wait-status.ts'
import type { Task } from '../tasks/task.ts'
import { isStepTrap } from '../tasks/traps.ts'
import { type DebugRegisters, release, type Slots, take, trapFor, type Watch } from './debug-registers.ts'

const { TRAP_HWBKPT, TRAP_TRACE } = constants

/** offsetof(struct user, u_debugreg). */
const debugRegisters = 848
const dr6 = debugRegisters + 6 * 8
const dr7 = debugRegisters + 7 * 8

/** The resume flag: no watch for 'execute' stops the next instruction. */
const resumeFlag = 1n << 16n

const kinds = { execute: 0n, write: 1n, access: 3n } as const
const lengths = { 1: 0n, 2: 1n, 4: 3n, 8: 2n } as const

export class X64DebugRegisters implements DebugRegisters {
  readonly #system: System
  readonly #slots: Slots = [undefined, undefined, undefined, undefined]

  constructor(system: System) {
    this.#system = system
  }

  add(watch: Watch): void {
    take(this.#slots, watch)
  }

  remove(watch: Watch): boolean {
    return release(this.#slots, watch)
  }

  apply({ tid }: Pick<Task, 'tid'>): void {
    let control = 0n
    // Under the old control bits, the kernel may refuse a new address.
    this.#system.ptracePokeUser(tid, dr7, 0n)
    this.#slots.forEach((watch, slot) => {
      if (watch === undefined) return
      const length = watch.on === 'execute' ? 0n : lengths[watch.size]
      this.#system.ptracePokeUser(tid, debugRegisters + slot * 8, watch.address)
      control |= (1n << BigInt(slot * 2)) | ((kinds[watch.on] | (length << 2n)) << BigInt(16 + slot * 4))
    })
    this.#system.ptracePokeUser(tid, dr7, control)
  }

  empty({ tid }: Task): void {
    try {
      this.#system.ptracePokeUser(tid, dr7, 0n)
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  trapOf({ tid, resumption }: Task): Trap | 'stale' | undefined {
    const info = this.#system.ptraceGetSigInfo(tid)
    const hasStepped = isStepTrap(info)
    if (info.code !== TRAP_HWBKPT && !hasStepped) return undefined
    const hit = this.#hit(tid)
    this.#system.ptracePokeUser(tid, dr6, 0n)
    // A single step traps without any watched address, and before a watched instruction.
    const watch = hit ?? (resumption.going === 'step' ? this.#executedAt(tid) : undefined)
    if (watch !== undefined) return trapFor(watch)
    return hasStepped ? undefined : 'stale'
  }

  passOver({ tid }: Task): void {
    if (this.#executedAt(tid) === undefined) return
    const registers = this.#system.ptraceGetRegisters(tid)
    if (!('eflags' in registers)) return
    this.#system.ptraceSetRegisters(tid, { eflags: registers.eflags | resumeFlag })
  }

  hasSteppedOver({ tid }: Task): boolean {
    return this.#system.ptraceGetSigInfo(tid).code === TRAP_TRACE && this.#hit(tid) !== undefined
  }

  #executedAt(tid: number): Watch | undefined {
    if (!this.#slots.some(watch => watch?.on === 'execute')) return undefined
    const { pc } = this.#system.ptraceGetRegisters(tid)
    return this.#slots.find(watch => watch?.on === 'execute' && watch.address === pc)
  }

  #hit(tid: number): Watch | undefined {
    const hit = this.#system.ptracePeekUser(tid, dr6)
    return this.#slots.find((each, slot) => each !== undefined && (hit & (1n << BigInt(slot))) !== 0n)
  }
}
