/**
 * The memory that one or more traced processes share, with the breakpoints in it.
 *
 * A thread resumes from a breakpoint by a step over it, during which the original instruction is back in the memory.
 * Any other thread that ran then would miss the breakpoint: the others are interrupted first, and resumed afterwards,
 * each by the request that it ran under.
 */

import { isErrno } from '../../../system/errors.ts'
import type { System } from '../../../system/system.ts'
import type { StopStatus, Trap } from '../../../system/wait-status.ts'
import { interrupt, isStopOverdue, resendMs, sendInterrupt } from '../tasks/halt.ts'
import type { Tracing } from '../tasks/options.ts'
import { isTrapToCome } from '../tasks/resume-task.ts'
import type { Going } from '../tasks/resumption.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'
import { isTrapPending } from '../tasks/traps.ts'
import { isAtHandler, trapOfBreakpoint } from './breakpoint-traps.ts'
import { Breakpoints } from './breakpoints.ts'
import { callBytes, clearPushedTrapFlag, isAwaited, isCallInstruction, type StepOver } from './step-over.ts'

export interface Member {
  readonly pid: number
  readonly memoryTid: number
  readonly tracing: Tracing | null
  readonly tasks: ReadonlyMap<number, Task>
  readonly parent: Member | null
  /** Has births of children announced: their copy of the memory has the breakpoints in it. */
  announceChildren(): void
}

export class AddressSpace {
  readonly #system: System
  readonly #members = new Set<Member>()
  #breakpoints: Breakpoints | undefined
  #step: StepOver | null = null
  #isResending = false

  constructor(system: System) {
    this.#system = system
  }

  get hasBreakpoints(): boolean {
    return this.#breakpoints?.isEmpty === false
  }

  /** Whether a step over a breakpoint is under way: no other thread may run then. */
  get isGated(): boolean {
    return this.#step !== null
  }

  add(process: Member): void {
    this.#members.add(process)
  }

  remove(process: Member): void {
    this.#members.delete(process)
    if (this.#step !== null && process.tasks.get(this.#step.task.tid) === this.#step.task) this.#finish()
    // A step no longer waits for its threads.
    else this.changed()
  }

  /** The memory of a process after its exec: a new object, unless this one has no breakpoints and no other process. */
  renewed(process: Member): AddressSpace {
    if (this.#members.size === 1 && this.#breakpoints === undefined && this.#step === null) return this
    this.remove(process)
    const space = new AddressSpace(this.#system)
    space.add(process)
    return space
  }

  read(tid: number, address: bigint, into: number | Uint8Array): Uint8Array {
    const bytes = this.#system.readMemory(tid, address, into)
    this.#breakpoints?.hide(address, bytes)
    return bytes
  }

  write(tid: number, address: bigint, data: Uint8Array): number {
    return this.#system.writeMemory(tid, address, this.#breakpoints?.keep(address, data) ?? data)
  }

  /** Sets a breakpoint. It is removed once all that were set at its address are disposed of. */
  insert(address: bigint, architecture: string): Disposable {
    this.#breakpoints ??= new Breakpoints(this.#system)
    const breakpoints = this.#breakpoints
    breakpoints.insert(this.#tid(), address, architecture)
    for (const member of this.#members) member.announceChildren()
    let isIn = true
    return {
      [Symbol.dispose]: () => {
        if (!isIn) return
        isIn = false
        if (this.#members.size > 0) tolerate(() => breakpoints.remove(this.#tid(), address))
      },
    }
  }

  /**
   * Takes every breakpoint out of the memory, because one of its processes is being detached: they would kill it. The
   * others lose them, too, except a parent that waits for its vfork child: it gets them back.
   */
  takeOut(process: Member): void {
    if (!this.hasBreakpoints) return
    const creator = [...this.#others(undefined)].find(([task, member]) => task.isInVfork && member === process.parent)
    tolerate(() => {
      if (creator === undefined) this.#breakpoints!.removeAll(process.memoryTid)
      else this.#breakpoints!.disableAll(process.memoryTid)
    })
  }

  /** A parent no longer waits for its vfork child. */
  enableBreakpoints(): void {
    if (this.hasBreakpoints) tolerate(() => this.#breakpoints!.enableAll(this.#tid()))
  }

  /** Takes this memory's breakpoints out of a copy of it. */
  restoreCopy(tid: number): void {
    this.#breakpoints?.writeOriginals(tid)
  }

  // Resuming

  /** Resumes a task, over the breakpoint that it is at. */
  resume(task: Task, going: Going, stop: Stop, signal: number): void {
    if (this.#step !== null) {
      // The request is made once the step is over. The user's signal has been checked before.
      task.left(stop)
      task.park('gate', () => this.resume(task, going, stop, signal))
      return
    }
    const address = this.#breakpointAt(task)
    if (address === undefined || (isTrapToCome(stop) && task.stepsOver !== address)) {
      task.stepsOver = null
      task.resumption.go(going, stop, signal)
      task.left(stop)
      return
    }
    const sp = signal === 0 ? null : this.#system.ptraceGetRegisters(task.tid).sp
    const start = () => task.resumption.go(this.#stepBy(task, address, going, signal), stop, signal)
    this.#begin({ task, address, going, sp, hasStarted: false, start })
    task.left(stop)
  }

  /** Resumes a task from a stop that is not shown, by the request that it ran under. */
  again(task: Task): void {
    const address = this.#step === null ? this.#breakpointAt(task) : undefined
    if (this.#step?.task === task) task.resumption.again()
    else if (this.#step !== null) task.park('gate', () => this.again(task))
    // Unless the task was resuming from the breakpoint, its trap is still to come.
    else if (address === undefined || task.stepsOver !== address) task.resumption.again()
    else {
      const { going } = task.resumption
      const start = () => task.resumption.goOn(this.#stepBy(task, address, going, 0))
      this.#begin({ task, address, going, sp: null, hasStarted: false, start })
    }
  }

  /**
   * The request that steps over a breakpoint. A single step would run a system call without its stops: the breakpoint
   * is out of the memory until the call's entry instead. A signal is delivered by a step: its handler runs first.
   */
  #stepBy(task: Task, address: bigint, going: Going, signal: number): Going {
    if (going !== 'syscall' || signal !== 0) return 'step'
    const { architecture } = this.#system.ptraceGetRegisters(task.tid)
    return isCallInstruction(this.read(task.tid, address, callBytes), architecture) ? 'syscall' : 'step'
  }

  #breakpointAt(task: Task): bigint | undefined {
    if (!this.hasBreakpoints) return undefined
    const { pc } = this.#system.ptraceGetRegisters(task.tid)
    return this.#breakpoints!.has(pc) ? pc : undefined
  }

  #begin(step: StepOver): void {
    this.#step = step
    step.task.stepsOver = step.address
    for (const [task, { tracing }] of this.#others(step.task)) interrupt(task, tracing)
    this.changed()
    if (this.#step === step && !step.hasStarted && !this.#isResending) void this.#resend()
  }

  /**
   * Resends interrupts that are overdue: a SIGCONT from elsewhere drops a pending SIGSTOP, and a trap uses up an
   * interrupt. One timer serves all steps while it runs.
   */
  async #resend(): Promise<void> {
    this.#isResending = true
    for (let late = this.#step; late !== null && !late.hasStarted; late = this.#step) {
      await this.#system.sleep(resendMs)
      if (this.#step !== late || late.hasStarted) continue
      for (const [task, { tracing }] of this.#others(late.task))
        if (isAwaited(task) && isStopOverdue(task, tracing)) sendInterrupt(task, tracing)
    }
    this.#isResending = false
  }

  /** A task has stopped or ended. */
  changed(): void {
    const step = this.#step
    if (step === null) return
    if (step.task.hasEnded) {
      this.#finish()
      return
    }
    if (step.hasStarted) return
    for (const [task] of this.#others(step.task)) if (isAwaited(task)) return
    step.hasStarted = true
    step.task.tolerateDeath(() => {
      this.#breakpoints?.disable(this.#tid(), step.address)
      step.start()
    })
  }

  /** Goes on with a step over a breakpoint. True if the stop belonged to it, and the task was resumed from it. */
  continueStep(task: Task, status: StopStatus, watches: { hasSteppedOver(task: Task): boolean }): boolean {
    const step = this.#step
    const isTrap = status.event === undefined && status.signal === 'SIGTRAP'
    const wasLate = isTrap && task.isTrapLate
    if (isTrap) task.isTrapLate = false
    if (step?.task !== task || !step.hasStarted) {
      // A request to step ends with it.
      if (!wasLate || task.resumption.going === 'step') return false
      task.again()
      return true
    }
    // After an exec, the call's own exit stop comes before the first step.
    if (task.resumption.passUnseen(status)) return true
    // A SIGCONT stops the task before the step. The step is tried again: given up, it might never happen among many.
    if (status.event === 'stop' && status.signal === 'SIGTRAP' && !task.interruption.isDue) {
      task.resumption.again()
      return true
    }
    const isWatched = isTrap && watches.hasSteppedOver(task)
    // The kernel reports an interrupt and a group stop before the trap of a step that has been made.
    task.isTrapLate = status.event === 'stop' && isTrapPending(this.#system, task.tid)
    const now = isTrap || task.isTrapLate ? this.#system.ptraceGetRegisters(task.tid) : undefined
    // A string instruction with a repeat prefix steps once for each repetition.
    const isRepeated = isTrap && now?.pc === step.address
    if (isRepeated && !isWatched) {
      task.resumption.again()
      return true
    }
    const { address, sp } = step
    if (now !== undefined && now.pc !== address) {
      task.stepsOver = null
      const code = this.#breakpoints?.originalAt(address)
      clearPushedTrapFlag(this.#system, task.tid, { address, code, now })
    }
    if (isTrap && sp !== null && isAtHandler(this.#system, task.tid)) task.returnsTo = { address, sp }
    this.#breakpoints?.enable(this.#tid(), address)
    this.#step = null
    const goesOn = isTrap && !isWatched && step.going !== 'step'
    if (goesOn) task.resumption.goOn(step.going)
    else task.resumption.going = step.going
    this.#release()
    return goesOn
  }

  /** Ends a step whose task has ended or was detached. */
  #finish(): void {
    const step = this.#step
    this.#step = null
    if (step === null) return
    if (this.#members.size > 0) tolerate(() => this.#breakpoints?.enable(this.#tid(), step.address))
    this.#release()
  }

  #release(): void {
    for (const [task] of [...this.#others(undefined)]) {
      if (this.isGated) return
      if (task.parked?.by === 'gate') task.unpark()
    }
  }

  *#others(than: Task | undefined): Iterable<[Task, Member]> {
    for (const member of this.#members) {
      for (const task of member.tasks.values()) if (task !== than) yield [task, member]
    }
  }

  #tid(): number {
    for (const { memoryTid } of this.#members) return memoryTid
    return 0
  }

  /** See {@link trapOfBreakpoint}. */
  trapOf(task: Task, status: StopStatus): Trap | 'stale' | undefined {
    return this.#breakpoints && trapOfBreakpoint(this.#system, this.#breakpoints, task, status)
  }
}

/** Ignores the errors of a memory that is gone with its process. */
function tolerate(request: () => void): void {
  try {
    request()
  } catch (error) {
    if (!isErrno(error, 'ESRCH', 'EFAULT')) throw error
  }
}
