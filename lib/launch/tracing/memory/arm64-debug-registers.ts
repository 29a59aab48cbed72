/**
 * The debug registers of arm64: a set for data and one for code, as many of each as the machine has.
 *
 * Both trap before the instruction, each time that it is tried. A thread passes it by a step with the registers empty:
 * before the stop is shown if the instruction accesses watched data, after it if the instruction itself is watched.
 * The registers belong to one thread, so that the others need not stop.
 */

import { constants } from '../../../system/constants.ts'
import { isErrno, SystemError } from '../../../system/errors.ts'
import type { SignalInfo, System } from '../../../system/system.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import type { Going } from '../tasks/resumption.ts'
import type { Task } from '../tasks/task.ts'
import { isHandlerTrap, isKernelTrap, isStepTrap } from '../tasks/traps.ts'
import { encodeRegisters, registersIn } from './arm64-register-sets.ts'
import { type DebugRegisters, release, type Slots, take, trapFor, type Watch } from './debug-registers.ts'
import { exitsOf } from './exclusive-sequences.ts'
import { callBytes, isCallInstruction } from './step-over.ts'

const { NT_ARM_HW_BREAK, NT_ARM_HW_WATCH, TRAP_HWBKPT } = constants

/** How a thread gets past an instruction. */
interface Passage {
  readonly pc: bigint
  readonly sp: bigint
  /** The watched data that the instruction accesses; undefined if the instruction itself is watched. */
  accessed: Watch | undefined
  /**
   * - 'ready': the thread passes once it is resumed.
   * - 'stepping': its registers are empty for one step.
   * - 'calling': its registers are empty until the entry of a system call.
   * - 'running': its registers hold the exits of an exclusive sequence.
   * - 'late': it has passed, and another stop has come before that of the step.
   */
  state: 'ready' | 'stepping' | 'calling' | 'running' | 'late'
}

export class Arm64DebugRegisters implements DebugRegisters {
  readonly #system: System
  readonly #architecture: string
  readonly #code: Slots
  readonly #data: Slots
  readonly #passages = new WeakMap<Task, Passage>()
  /** The watched data that was accessed in the step that has just ended. */
  readonly #accessed = new WeakMap<Task, Watch>()
  /** Where a signal handler that was entered from a watched instruction returns to. */
  readonly #returnsTo = new WeakMap<Task, { readonly pc: bigint; readonly sp: bigint }>()

  constructor(system: System, tid: number, architecture: string) {
    this.#system = system
    this.#architecture = architecture
    const slots = (type: number) =>
      new Array<undefined>(registersIn(system.ptraceGetRegisterSet(tid, type))).fill(undefined)
    this.#code = slots(NT_ARM_HW_BREAK)
    this.#data = slots(NT_ARM_HW_WATCH)
  }

  add(watch: Watch): void {
    // The kernel would watch a part of it.
    const unit = watch.on !== 'execute' ? BigInt(watch.size) : this.#architecture === 'arm' ? 2n : 4n
    if (watch.address % unit !== 0n) {
      throw new SystemError({ errno: 'EINVAL', syscall: 'ptrace', hint: `the address is no multiple of ${unit}` })
    }
    take(this.#slotsOf(watch), watch)
  }

  remove(watch: Watch): boolean {
    return release(this.#slotsOf(watch), watch)
  }

  apply({ tid }: Pick<Task, 'tid'>): void {
    this.#write(tid, NT_ARM_HW_BREAK, this.#code)
    this.#write(tid, NT_ARM_HW_WATCH, this.#data)
  }

  empty(task: Task): void {
    this.#passages.delete(task)
    task.resumption.detour = null
    try {
      this.#write(task.tid, NT_ARM_HW_BREAK, [])
      this.#write(task.tid, NT_ARM_HW_WATCH, [])
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  passUnseen(task: Task, status: StopStatus): boolean {
    const passage = this.#passages.get(task)
    const info =
      status.event === undefined && status.signal === 'SIGTRAP' ? this.#system.ptraceGetSigInfo(task.tid) : undefined
    const isOut = info?.code === TRAP_HWBKPT && passage?.state === 'running'
    if (info?.code === TRAP_HWBKPT && !isOut && this.#beginStep(task, info)) return true
    // A new program has empty registers.
    if (status.event === 'exec') this.#forget(task)
    if (passage === undefined || passage.state === 'ready' || status.event === 'exec') return false
    if (passage.state !== 'late') this.apply(task)
    if (isOut || (info !== undefined && isKernelTrap(info) && isStepTrap(info))) {
      return this.#endStep(task, passage, info!)
    }
    if (passage.state === 'stepping' && this.#pcOf(task) !== passage.pc) passage.state = 'late'
    else if (passage.accessed === undefined && this.#pcOf(task) === passage.pc) passage.state = 'ready'
    else if (passage.state !== 'late') this.#forget(task)
    return false
  }

  trapOf(task: Task): Trap | 'stale' | undefined {
    const accessed = this.#accessed.get(task)
    if (accessed !== undefined) {
      this.#accessed.delete(task)
      return trapFor(accessed)
    }
    const info = this.#system.ptraceGetSigInfo(task.tid)
    const hasStepped = isKernelTrap(info) && isStepTrap(info)
    if (info.code !== TRAP_HWBKPT && !hasStepped) return undefined
    const { pc, sp } = this.#system.ptraceGetRegisters(task.tid)
    const watch = this.#code.find(each => each?.address === pc)
    // A step has stopped before a watched instruction, which has not trapped.
    if (hasStepped) return watch !== undefined && task.resumption.going === 'step' ? trapFor(watch) : undefined
    if (watch === undefined) return 'stale'
    const from = this.#returnsTo.get(task)
    this.#returnsTo.delete(task)
    if (from?.pc !== pc || from.sp !== sp) return trapFor(watch)
    // It was shown before the handler ran.
    this.passOver(task)
    return 'stale'
  }

  passOver(task: Task): void {
    if (!this.#code.some(watch => watch !== undefined)) return
    const { pc, sp } = this.#system.ptraceGetRegisters(task.tid)
    if (!this.#code.some(watch => watch?.address === pc)) return
    this.#passages.set(task, { pc, sp, accessed: undefined, state: 'ready' })
    task.resumption.detour = going => this.#leave(task, going)
  }

  hasSteppedOver(task: Task): boolean {
    return this.#accessed.has(task)
  }

  /** Begins the step over an access to watched data. False if the trap was for the instruction itself. */
  #beginStep(task: Task, { address = 0n }: SignalInfo): boolean {
    const { pc, sp } = this.#system.ptraceGetRegisters(task.tid)
    if (address === pc && this.#code.some(each => each?.address === pc)) return false
    const accessed = nearest(this.#data, address)
    if (accessed === undefined) return false
    const exits = this.#exitsOf(task.tid, pc)
    const isOne = exits.length > 0 && exits.length <= this.#code.length
    const ends: Slots = isOne ? exits.map(exit => ({ address: exit, size: 4, on: 'execute' })) : []
    this.#write(task.tid, NT_ARM_HW_BREAK, ends)
    this.#write(task.tid, NT_ARM_HW_WATCH, [])
    this.#passages.set(task, { pc, sp, accessed, state: isOne ? 'running' : 'stepping' })
    if (isOne) this.#system.ptraceCont(task.tid)
    else this.#system.ptraceStep(task.tid)
    return true
  }

  /** Ends a step over a watched access or instruction. True if its stop is not shown, and the thread was resumed. */
  #endStep(task: Task, { pc, sp, accessed }: Passage, { code }: SignalInfo): boolean {
    this.#forget(task)
    if (accessed !== undefined) {
      this.#accessed.set(task, accessed)
      return false
    }
    if (isHandlerTrap(code)) this.#returnsTo.set(task, { pc, sp })
    if (task.resumption.going === 'step') return false
    // A trap that the thread was about to report has used up an interrupt that came right then.
    if (task.owner.tracing === 'seize' && task.interruption.isDue) this.#system.ptraceInterrupt(task.tid)
    task.again()
    return true
  }

  /** Resumes a thread from a watched instruction: returns the request that does it. */
  #leave(task: Task, going: Going): Going {
    const passage = this.#passages.get(task)
    if (passage?.state !== 'ready' || this.#pcOf(task) !== passage.pc) {
      if (passage?.state === 'ready') this.#forget(task)
      return going
    }
    this.#write(task.tid, NT_ARM_HW_BREAK, [])
    // A step would go past the entry of a system call.
    passage.state = going === 'syscall' && this.#isAtCall(task) ? 'calling' : 'stepping'
    return passage.state === 'calling' ? going : 'step'
  }

  #exitsOf(tid: number, pc: bigint): bigint[] {
    if (this.#architecture !== 'arm64') return []
    try {
      return exitsOf(pc, (address, length) => this.#system.readMemory(tid, address, length))
    } catch (error) {
      // At the beginning of a mapping, or of a program that may not be read.
      if (isErrno(error, 'EFAULT', 'EPERM')) return []
      throw error
    }
  }

  #forget(task: Task): void {
    this.#passages.delete(task)
    task.resumption.detour = null
  }

  #slotsOf({ on }: Watch): Slots {
    return on === 'execute' ? this.#code : this.#data
  }

  #write(tid: number, type: number, slots: Slots): void {
    const all = type === NT_ARM_HW_BREAK ? this.#code : this.#data
    this.#system.ptraceSetRegisterSet(tid, type, encodeRegisters(slots, all.length, this.#architecture))
  }

  #pcOf(task: Task): bigint {
    return this.#system.ptraceGetRegisters(task.tid).pc
  }

  #isAtCall({ tid }: Task): boolean {
    const { pc, architecture } = this.#system.ptraceGetRegisters(tid)
    return isCallInstruction(this.#system.readMemory(tid, pc, callBytes), architecture)
  }
}

/**
 * The watch that an access was for. The kernel gives the access's first byte, which may be below the watched ones.
 * Of two watches on the same bytes, the one for any access has seen it for certain.
 */
function nearest(slots: Slots, address: bigint): Watch | undefined {
  const distance = (watch: Watch) => {
    const behind = address - (watch.address + BigInt(watch.size) - 1n)
    const ahead = watch.address - address
    return ahead > 0n ? ahead : behind > 0n ? behind : 0n
  }
  return slots
    .filter(each => each !== undefined)
    .toSorted(
      (one, other) =>
        Number(distance(one) - distance(other)) || Number(other.on === 'access') - Number(one.on === 'access'),
    )[0]
}
