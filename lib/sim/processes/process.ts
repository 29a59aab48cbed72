/** A process: what its threads share. */

import type { SignalName } from '../../system/signals.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import { SignalSet } from '../base/signal-set.ts'
import { youngArray } from '../base/young-array.ts'
import type { DescriptorTable } from '../files/descriptor-table.ts'
import { WaitQueue } from '../files/wait-queue.ts'
import type { Machine } from './machine.ts'
import { type Image, Memory } from './memory.ts'
import { PendingSignals } from './pending-signals.ts'
import type { Task } from './task.ts'

/** The code of a signal handler. */
export type HandlerCode = (task: Task, signal: number) => Generator<unknown, void, unknown>

/** The action of a process for one signal, sigaction(2). */
export interface SignalAction {
  readonly handler: 'default' | 'ignore' | HandlerCode
  /** Signals blocked while the handler runs, besides the signal itself. */
  readonly mask: SignalSet
  /** SA_RESTART: calls that the handler interrupts are restarted. */
  readonly restart: boolean
  /** SA_NODEFER: the handler does not block the signal itself. */
  readonly noDefer: boolean
  /** SA_RESETHAND: the action is reset to the default when the handler runs. */
  readonly once: boolean
  /** SA_NOCLDWAIT and SA_NOCLDSTOP, of SIGCHLD. */
  readonly noChildWait: boolean
  readonly noChildStop: boolean
}

/** Learns of the end of a process. */
interface EndListener {
  /** It has ended, or was reaped. */
  changed(): void
}

/** A thread group. */
export class Process {
  readonly kernel: Machine
  readonly id: number
  /** The real parent; each thread has its own tracer. */
  parent: Process
  /** Own children in the order of birth, with adopted ones added last. */
  readonly children = youngArray<Process>()
  /** Threads that have not ended. An ended leader stays {@link leader} but is not in here. */
  readonly tasks = youngArray<Task>()
  /** Threads that have not been reaped, ended or not, the leader included. */
  readonly unreaped = youngArray<Task>()
  leader!: Task
  group: number
  session: number
  descriptors: DescriptorTable
  directory: string
  image: Image
  /** What ptrace(2) and process_vm_readv(2) see. A forked process shares its parent's until it execs. */
  memory: Memory
  /** RLIMIT_CORE in bytes. Above 0, the wait status of a core-dumping signal has the core flag. */
  coreLimit: number
  readonly actions = new Map<number, SignalAction>()
  /** Signals for any of its threads. */
  readonly pending = new PendingSignals()
  /** Called first with each signal sent; returns whether it took the signal. The host listens for SIGCHLD here. */
  onSignal: ((signal: number) => boolean) | null = null
  /** The signal sent to the parent at its end. Waits without __WALL select children by it. */
  exitSignal = SIGCHLD
  /** The wait status of an ending process; null before. */
  groupExit: number | null = null
  /** The thread whose execve waits for the others to end. */
  execTask: Task | null = null
  /** The process whose call or step ended it. */
  endedBy: Process | null = null
  /** All threads are in a group stop. */
  stopped = false
  /** It was continued, and no wait has reported that yet. */
  continued = false
  /** Number of threads that the current group stop still waits for. */
  stoppingThreads = 0
  /** The signal of the group stop; 0 once a wait has reported it. */
  stopSignal = 0
  /** The signal of its latest stop and that signal's sender, for a deadlock report. */
  stopCause: { readonly signal: SignalName; readonly by: number | undefined } | null = null
  /** The notice that the first thread to wake from a stop has to send the parent. */
  notice: 'stopped' | 'continued' | null = null
  /** It was made by a fork. */
  isFork = false
  /** It called exec; its parent can no longer setpgid(2) it. */
  hasExeced = false
  pidfds: Set<EndListener> | null = null
  /** Threads of it that wait for children. */
  readonly childQueue = new WaitQueue()
  /** Times its threads blocked, ru_nvcsw. */
  contextSwitches = 0
  childContextSwitches = 0

  constructor(kernel: Machine, id: number, parent: Process | null, descriptors: DescriptorTable, image: Image) {
    this.kernel = kernel
    this.id = id
    this.parent = parent ?? this
    this.group = parent?.group ?? id
    this.session = parent?.session ?? id
    this.directory = parent?.directory ?? '/'
    this.coreLimit = parent?.coreLimit ?? 0
    this.descriptors = descriptors
    this.image = image
    this.memory = parent?.memory ?? new Memory(image, kernel.newMemoryMark())
  }

  /** The program it runs, for reports: '/bin/cat', or 'fork of /bin/sh' until its first exec. */
  get program(): string {
    const { path } = this.image
    return this.isFork && !this.hasExeced ? `fork of ${path}` : path
  }

  /** Its name in reports: '101 (/bin/cat)'. */
  get name(): string {
    return `${this.id} (${this.program})`
  }

  handlerOf(signal: number): SignalAction['handler'] {
    return this.actions.get(signal)?.handler ?? 'default'
  }

  /** Wakes the polls of its pidfds, once it has ended and once it is reaped. */
  tellPidfds(): void {
    if (this.pidfds !== null) for (const pidfd of this.pidfds) pidfd.changed()
  }

  ignore(signal: number): void {
    this.actions.set(signal, { ...defaultAction, handler: 'ignore' })
  }

  /** Sets the stop flags, which exclude each other. */
  setStopState(state: 'stopped' | 'continued' | null, notice: 'stopped' | 'continued' | null = null): void {
    this.stopped = state === 'stopped'
    this.continued = state === 'continued'
    this.notice = notice
  }
}

/** The action of a signal that sigaction(2) was never called for. */
export const defaultAction: SignalAction = {
  handler: 'default',
  mask: new SignalSet(),
  restart: false,
  noDefer: false,
  once: false,
  noChildWait: false,
  noChildStop: false,
}
