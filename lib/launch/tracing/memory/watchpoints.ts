/** The debug registers of a process: up to four watched addresses, in every thread. */

import { invalidValue } from '../../../system/arguments.ts'
import { constants } from '../../../system/constants.ts'
import { isErrno, SystemError } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import type { Task } from '../tasks/task.ts'
import { isStepEnd } from './breakpoint-traps.ts'

/** What watch() looks out for. */
export interface WatchOptions {
  /** The number of bytes; the address is a multiple of it. */
  readonly size: 1 | 2 | 4 | 8
  /** 'execute': before the instruction at the address; 'write' and 'access' (a read or a write): after it. */
  readonly on: 'execute' | 'write' | 'access'
}

const { TRAP_HWBKPT, TRAP_TRACE } = constants

interface Watch extends WatchOptions {
  readonly address: bigint
}

/** offsetof(struct user, u_debugreg) on x64. */
const debugRegisters = 848
const dr6 = debugRegisters + 6 * 8
const dr7 = debugRegisters + 7 * 8

/** The resume flag: no watch for 'execute' stops the next instruction. */
const resumeFlag = 1n << 16n

const kinds = { execute: 0n, write: 1n, access: 3n } as const
const lengths = { 1: 0n, 2: 1n, 4: 3n, 8: 2n } as const

export class Watchpoints {
  readonly #system: System
  readonly #slots: (Watch | undefined)[] = [undefined, undefined, undefined, undefined]
  /** Whether a register has been used since the last exec: a trap may be due. */
  #isUsed = false

  constructor(system: System) {
    this.#system = system
  }

  get isUsed(): boolean {
    return this.#isUsed
  }

  /** The exec has cleared them all. */
  clear(): void {
    if (!this.#isUsed) return
    this.#slots.fill(undefined)
    this.#isUsed = false
  }

  /** @throws SystemError ENOSPC if all four registers are in use; the kernel's own error for a bad address. */
  add(tasks: Iterable<Task>, address: bigint, options: WatchOptions): Watch {
    const watch = { address, size: options.size, on: options.on }
    if (!(watch.size in lengths)) throw invalidValue('options.size', 'must be one of 1, 2, 4, 8', watch.size)
    if (!(watch.on in kinds)) throw invalidValue('options.on', "must be one of 'execute', 'write', 'access'", watch.on)
    const slot = this.#slots.indexOf(undefined)
    if (slot < 0) {
      const hint = 'the machine has four debug registers, and all are in use'
      throw new SystemError({ errno: 'ENOSPC', syscall: 'ptrace', hint })
    }
    this.#slots[slot] = watch
    this.#isUsed = true
    try {
      for (const task of tasks) this.apply(task)
    } catch (error) {
      this.remove(tasks, watch)
      throw error
    }
    return watch
  }

  remove(tasks: Iterable<Task>, watch: Watch): void {
    const slot = this.#slots.indexOf(watch)
    if (slot < 0) return
    this.#slots[slot] = undefined
    for (const task of tasks) task.watchesChanged = true
  }

  /** Writes a thread's registers. */
  apply(task: Task): void {
    task.watchesChanged = false
    let control = 0n
    // Under the old control bits, the kernel may refuse a new address.
    this.#system.ptracePokeUser(task.tid, dr7, 0n)
    this.#slots.forEach((watch, slot) => {
      if (watch === undefined) return
      const length = watch.on === 'execute' ? 0n : lengths[watch.size]
      this.#system.ptracePokeUser(task.tid, debugRegisters + slot * 8, watch.address)
      control |= (1n << BigInt(slot * 2)) | ((kinds[watch.on] | (length << 2n)) << BigInt(16 + slot * 4))
    })
    this.#system.ptracePokeUser(task.tid, dr7, control)
  }

  /** Empties a thread's registers. */
  empty(task: Task): void {
    if (!this.#isUsed) return
    try {
      this.#system.ptracePokeUser(task.tid, dr7, 0n)
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  /** The watched address that a stop is for; 'stale' if the address is no longer watched. */
  trapOf(task: Task, status: StopStatus): Trap | 'stale' | undefined {
    if (!this.#isUsed || status.event !== undefined || status.signal !== 'SIGTRAP') return undefined
    const { code } = this.#system.ptraceGetSigInfo(task.tid)
    const hasStepped = isStepEnd(code, true)
    if (code !== TRAP_HWBKPT && !hasStepped) return undefined
    const hit = this.#hit(task)
    this.#system.ptracePokeUser(task.tid, dr6, 0n)
    // A single step traps without any watched address, and before a watched instruction.
    const watch = hit ?? (task.resumption.going === 'step' ? this.#executedAt(task) : undefined)
    if (watch !== undefined) return { kind: 'watch', address: watch.address, on: watch.on }
    return hasStepped ? undefined : 'stale'
  }

  /** Lets a thread execute the instruction at its pc, though it is watched: the thread has stopped for it. */
  passOver(task: Task): void {
    if (this.#executedAt(task) === undefined) return
    const registers = this.#system.ptraceGetRegisters(task.tid)
    if (!('eflags' in registers)) return
    this.#system.ptraceSetRegisters(task.tid, { eflags: registers.eflags | resumeFlag })
  }

  #executedAt(task: Task): Watch | undefined {
    if (!this.#slots.some(watch => watch?.on === 'execute')) return undefined
    const { pc } = this.#system.ptraceGetRegisters(task.tid)
    return this.#slots.find(watch => watch?.on === 'execute' && watch.address === pc)
  }

  /** Whether a single step has read or written a watched address. */
  hasSteppedOver(task: Task): boolean {
    if (!this.#isUsed || this.#system.ptraceGetSigInfo(task.tid).code !== TRAP_TRACE) return false
    return this.#hit(task) !== undefined
  }

  #hit(task: Task): Watch | undefined {
    const hit = this.#system.ptracePeekUser(task.tid, dr6)
    return this.#slots.find((each, slot) => each !== undefined && (hit & (1n << BigInt(slot))) !== 0n)
  }
}
