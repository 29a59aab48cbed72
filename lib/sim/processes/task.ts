/** A task: one thread, which is what runs, waits, stops and is traced. */

import type { Timer } from '../base/clock.ts'
import { blocked } from '../base/results.ts'
import { SignalSet } from '../base/signal-set.ts'
import { youngArray } from '../base/young-array.ts'
import type { Caller, Wait } from '../files/wait.ts'
import type { Machine } from './machine.ts'
import { type PendingSignal, PendingSignals } from './pending-signals.ts'
import type { Process } from './process.ts'

/**
 * Where a task is.
 *
 * - `running`: the host, while its own JavaScript runs.
 * - `runnable`: the scheduler may let it step.
 * - `waiting`: in a blocked call.
 * - `stopped`: in a group stop; `traced`: in a ptrace stop.
 * - `zombie`: ended, not reaped; `dead`: gone.
 */
type TaskState = 'running' | 'runnable' | 'waiting' | 'stopped' | 'traced' | 'zombie' | 'dead'

/** What a task runs: each yield is a {@link Request}. */
// biome-ignore lint/suspicious/noExplicitAny: what a yield gives back is each call's own affair
export type Code = (task: Task) => Generator<unknown, unknown, any>

/** What a system call does, its arguments known: a result, a negative errno, or blocked. */
export type Action = (task: Task) => unknown

/** Which system call it is. */
export interface CallRow {
  /** Its C name. */
  readonly name: string
  /** System's name of it, where ptrace(2) has many requests. */
  readonly method?: string | undefined
  /** Checks the arguments, and gives what the call does with them; where it is missing, the arguments are only for a report. */
  prepare?(...args: unknown[]): Action
}

/** A system call that a program asks for: carried out when its task steps. */
export interface Request {
  readonly call: CallRow
  readonly args: readonly unknown[]
  readonly act: Action
}

/** Code of a program on the stack of a task: the program itself, and above it signal handlers that interrupted it. */
export interface Frame {
  readonly code: Generator<unknown, unknown, unknown>
  /** The call to make next; null when `value` is to be given to the code first. */
  request: Request | null
  value: unknown
  /** The signals that were blocked before a handler began; null for the program. */
  readonly maskBefore: SignalSet | null
}

/** How a task is traced. */
export interface Trace {
  readonly tracer: Task
  /** PTRACE_SEIZE, which has stops of its own. */
  readonly seized: boolean
  /** PTRACE_O_* bits. */
  options: number
  /** Stops at the next system call's entry or exit, or after the next instruction. */
  resume: 'cont' | 'syscall' | 'step'
}

/** Stops that are due (Linux: jobctl). */
class JobControl {
  /** Has to take part in a group stop. */
  stopPending = false
  /** And is counted among those it waits for. */
  stopConsume = false
  /** The signal of the latest group stop. */
  stopSignal = 0
  /** A stop signal was taken from the queue, and no SIGCONT has come since. */
  stopDequeued = false
  /** Has to trap for its tracer. */
  trapStop = false
  /** And once more, because something happened meanwhile. */
  trapNotify = false
  /** PTRACE_LISTEN: it stays stopped, but cannot be told anything. */
  listening = false

  get pending(): boolean {
    return this.stopPending || this.trapStop || this.trapNotify
  }

  clearStop(): void {
    this.stopPending = false
    this.stopConsume = false
    this.stopDequeued = false
  }

  clearTraps(): void {
    this.trapStop = false
    this.trapNotify = false
  }
}

/** One thread. */
export class Task implements Caller {
  readonly kernel: Machine
  readonly id: number
  /** An exec gives a thread its leader's number. */
  tid: number
  readonly process: Process
  /** The thread that made this one's process: TRACEME's tracer, and whose end PR_SET_PDEATHSIG tells. */
  parentTask: Task | null
  state: TaskState = 'waiting'
  wait: Wait | null = null
  /** A part of a call, of a signal's delivery or of the exit that stops in the middle: resumed by the next step. */
  work: Generator<void, void, void> | null = null
  readonly frames = youngArray<Frame>()
  /** Blocked signals. */
  mask = new SignalSet()
  /** Signals for this thread alone. */
  readonly pending = new PendingSignals()
  /** There is something to deliver or a stop to make; blocked calls end early. */
  signalPending = false
  /** SIGKILL came: nothing stops it any more. */
  killed = false
  exiting = false
  /** The status with which this thread alone is about to end. */
  ending: number | null = null
  readonly jobControl = new JobControl()
  trace: Trace | null = null
  /** Those this one traces, the latest first. */
  readonly tracees = youngArray<Task>()
  /** The ptrace stop's code (a signal, with the event above), until a wait has told of it; then, from the tracer, the signal to go on with. */
  stopCode = 0
  /** The signal of a signal-delivery stop; null at other stops. */
  stopSignal: PendingSignal | null = null
  /** PTRACE_GETEVENTMSG. */
  eventMessage = 0
  /** Events to stop for when the call under way is over. */
  readonly events = youngArray<{ event: number; message: number }>()
  /** PR_SET_PDEATHSIG. */
  deathSignal = 0
  /** What a wait tells of its end. */
  exitStatus = 0
  #timer: Timer | null = null

  constructor(kernel: Machine, tid: number, process: Process, parentTask: Task | null) {
    this.kernel = kernel
    this.id = kernel.newActorId()
    this.tid = tid
    this.process = process
    this.parentTask = parentTask
  }

  get label(): string {
    return this.tid === this.process.id ? this.process.name : `thread ${this.tid} of ${this.process.name}`
  }

  get isLeader(): boolean {
    return this === this.process.leader
  }

  /** Who its stops and its end are told to first. */
  get reportsTo(): Process {
    return this.trace?.tracer.process ?? this.process.parent
  }

  /** Traced by a process that is not its parent. */
  get hasForeignTracer(): boolean {
    return this.trace !== null && this.trace.tracer.process !== this.process.parent
  }

  /** The one place where calls block. */
  block(wait: Wait): typeof blocked {
    this.wait = wait
    this.state = 'waiting'
    this.process.contextSwitches++
    wait.file?.retain()
    if (wait.deadline !== undefined) this.#timer = this.kernel.clock.at(wait.deadline, () => this.wake())
    if (this.signalPending) this.wake()
    return blocked
  }

  /** The wait is over, with a result or without. */
  unblock(): void {
    const { wait } = this
    this.wait = null
    if (this.#timer !== null) this.kernel.clock.cancel(this.#timer)
    this.#timer = null
    wait?.file?.release()
  }

  /** Lets a waiting task try again; whether it was waiting. */
  wake(): boolean {
    if (this.state !== 'waiting') return false
    this.kernel.makeRunnable(this)
    return true
  }
}
