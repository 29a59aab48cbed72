/** A task: one thread. Threads, not processes, run, wait, stop and are traced. */

import type { Timer } from '../base/clock.ts'
import { blocked } from '../base/results.ts'
import { SignalSet } from '../base/signal-set.ts'
import { youngArray } from '../base/young-array.ts'
import type { Caller, Wait } from '../files/wait.ts'
import type { WaitQueue } from '../files/wait-queue.ts'
import type { Machine } from './machine.ts'
import { type PendingSignal, PendingSignals } from './pending-signals.ts'
import type { Process } from './process.ts'

/**
 * The state of a task.
 *
 * - `running`: the task that takes its step, or the host while its own JavaScript runs.
 * - `runnable`: the scheduler may let it step.
 * - `waiting`: in a blocked call.
 * - `stopped`: in a group stop; `traced`: in a ptrace stop.
 * - `zombie`: ended, not reaped; `dead`: gone.
 */
type TaskState = 'running' | 'runnable' | 'waiting' | 'stopped' | 'traced' | 'zombie' | 'dead'

/** The code of a task; it yields a {@link Request} for each system call. */
// biome-ignore lint/suspicious/noExplicitAny: what a yield gives back is each call's own affair
export type Code = (task: Task) => Generator<unknown, unknown, any>

/** A system call with its arguments bound: returns a result, a negative errno, or `blocked`. */
export type Action = (task: Task) => unknown

/** An argument register of a call: a number, or undefined for 0. */
export type Word = number | undefined

/** The argument registers of a call, from the arguments of its method. */
export type WordsOf<Args extends readonly unknown[]> = (args: Args, task: Task) => readonly Word[]

/** A system call's row in the table. */
export interface CallRow {
  /** Its C name. */
  readonly name: string
  /** The method of System or of SimulatedProcess that makes the call; a child program's calls have none. */
  readonly method?: string | undefined
  /** Checks the arguments and binds them. Missing in rows that only tracepoints see. */
  prepare?(...args: unknown[]): Action
  /** Its argument registers; of a child program's calls a table by their names has them. */
  words?(args: readonly unknown[], task: Task): readonly Word[]
  /** Not a system call but an access to memory, which makes no syscall-stops. */
  readonly isAccess?: true
}

/** A system call that a program asks for; its task's next step carries it out. */
export interface Request {
  readonly call: CallRow
  readonly args: readonly unknown[]
  readonly act: Action
  /** The task whose SimulatedProcess made the call; none for the calls of a child program. */
  readonly maker?: Task | undefined
  /** The rest of a call that a signal interrupted before a time had passed. */
  readonly isRestarted?: true
}

/** The call that a stop of its task belongs to: at its entry, at its end, or on the way back to the program. */
export interface StoppedCall {
  readonly request: Request
  /** Undefined at the call's entry. */
  readonly result?: unknown
}

/** One level of a task's stack: the program at the bottom, above it the signal handlers that interrupted it. */
export interface Frame {
  readonly code: Generator<unknown, unknown, unknown>
  /** The next call to make; null when the code has to receive `value` first. */
  request: Request | null
  value: unknown
  /** The mask to restore when this handler returns; null for the program. */
  readonly maskBefore: SignalSet | null
}

/** A frame for code that has not begun. */
export function newFrame(code: Frame['code'], maskBefore: Frame['maskBefore'] = null): Frame {
  return { code, request: null, value: undefined, maskBefore }
}

/** The link from a tracee to its tracer. */
export interface Trace {
  readonly tracer: Task
  /** Attached by PTRACE_SEIZE, whose group stops are PTRACE_EVENT_STOP. */
  readonly seized: boolean
  /** PTRACE_O_* bits. */
  options: number
  /** The latest resuming request: 'syscall' stops at the next call's entry or exit, 'step' after an instruction. */
  resume: 'cont' | 'syscall' | 'step'
}

/** Pending stops of a task (Linux's `jobctl`). */
class JobControl {
  /** The task has to join a group stop. */
  stopPending = false
  /** The group stop counts this task among {@link Process.stoppingThreads}. */
  stopConsume = false
  /** The signal of the latest group stop. */
  stopSignal = 0
  /** A stop signal was dequeued, and no SIGCONT was sent since. */
  stopDequeued = false
  /** The task has to trap for its tracer. */
  trapStop = false
  /** The task has to trap again: the state of its group changed. */
  trapNotify = false
  /** PTRACE_LISTEN: it stays stopped but accepts no requests and no waits. */
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

/** A ptrace event at the end of a call; of a new task, that task. */
export interface CallEvent {
  readonly event: number
  readonly message: number
  readonly child: Task | null
}

/** One thread. */
export class Task implements Caller {
  readonly kernel: Machine
  readonly id: number
  /** Changes when the thread execs: it then gets the leader's number. */
  tid: number
  readonly process: Process
  /** The thread that forked this process: PTRACE_TRACEME's tracer. Its end sends the PR_SET_PDEATHSIG signal. */
  parentTask: Task | null
  state: TaskState = 'waiting'
  wait: Wait | null = null
  /** A call, delivery or exit that paused in the middle; the next step resumes it. */
  work: Generator<void, void, void> | null = null
  readonly frames = youngArray<Frame>()
  /** Blocked signals. */
  mask = new SignalSet()
  /** Signals for this thread alone. */
  readonly pending = new PendingSignals()
  /** A signal, stop or end is pending (TIF_SIGPENDING): blocked calls end early. */
  signalPending = false
  /** A fatal signal has been sent: the task makes no more stops. */
  killed = false
  /** Its exit has begun; a stop for PTRACE_O_TRACEEXIT may still come. */
  leaving = false
  /** Its exit has gone past that stop: the task takes no more signals. */
  exiting = false
  /** Of a vfork(2) child: the thread that waits for its exec or its end. */
  vforkParent: Task | null = null
  /** The status of this thread's own pending end; null if it has none. */
  ending: number | null = null
  readonly jobControl = new JobControl()
  trace: Trace | null = null
  /** The tasks that this one traces, the latest first. */
  readonly tracees = youngArray<Task>()
  /**
   * The code of a ptrace stop: a signal, with the event in the bits above. 0 once a wait has reported it. When the
   * tracer resumes the task: the signal to go on with.
   */
  stopCode = 0
  /** The siginfo of the current ptrace stop (Linux's `last_siginfo`); null at a group-stop, and when not stopped. */
  stopInfo: PendingSignal | null = null
  /** PTRACE_GETEVENTMSG. */
  eventMessage = 0
  /** The call that its stops show; null between calls, and while no stop can come. */
  stoppedCall: StoppedCall | null = null
  /** Its tracer has set registers at the current stop. */
  hasSetRegisters = false
  /** ptrace events to stop for at the end of the current call. */
  readonly events = youngArray<CallEvent>()
  /** PR_SET_PDEATHSIG. */
  deathSignal = 0
  /** Its wait status once it has ended. */
  exitStatus = 0
  /** Methods of a SimulatedProcess that its program has called, still without the `yield*` that begins the call. */
  readonly unbegun = youngArray<string>()
  /** What a thread's program returned. */
  returned: unknown
  /** Threads that wait for the end of this one. */
  joiners: WaitQueue | null = null
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

  /** The process notified first of its stops and end: its tracer's, else its parent. */
  get reportsTo(): Process {
    return this.trace?.tracer.process ?? this.process.parent
  }

  /** The thread that forked its process, or the one that has inherited the child. */
  get parentThread(): Task {
    return this.process.leader.parentTask ?? this.process.parent.leader
  }

  /** Traced by a process that is not its parent. */
  get hasForeignTracer(): boolean {
    return this.trace !== null && this.trace.tracer.process !== this.process.parent
  }

  /** Blocks the current call; no call blocks in any other way. */
  block(wait: Wait): typeof blocked {
    this.wait = wait
    this.state = 'waiting'
    this.process.contextSwitches++
    wait.file?.retain()
    if (wait.deadline !== undefined) this.#timer = this.kernel.clock.at(wait.deadline, () => this.wake())
    if (this.isInterrupted) this.wake()
    return blocked
  }

  /** Whether a signal, a stop or an end is pending that ends its current wait. */
  get isInterrupted(): boolean {
    return this.signalPending && (this.killed || this.wait?.isKillable !== true)
  }

  /** Ends the wait. */
  unblock(): void {
    const { wait } = this
    this.wait = null
    if (this.#timer !== null) this.kernel.clock.cancel(this.#timer)
    this.#timer = null
    wait?.file?.release()
  }

  /** Makes a waiting task runnable; whether it was waiting. */
  wake(): boolean {
    if (this.state !== 'waiting') return false
    this.kernel.makeRunnable(this)
    return true
  }
}
