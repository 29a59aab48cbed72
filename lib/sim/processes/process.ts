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

/** Code that runs when a signal arrives. */
export type HandlerCode = (task: Task, signal: number) => Generator<unknown, void, unknown>

/** What a process does about a signal, sigaction(2). */
export interface SignalAction {
  readonly handler: 'default' | 'ignore' | HandlerCode
  /** Blocked while the handler runs, besides the signal itself. */
  readonly mask: SignalSet
  /** SA_RESTART: calls the handler interrupts are made again. */
  readonly restart: boolean
  /** SA_NODEFER: the signal itself is not blocked. */
  readonly noDefer: boolean
  /** SA_RESETHAND: back to the default once it ran. */
  readonly once: boolean
  /** SA_NOCLDWAIT and SA_NOCLDSTOP, of SIGCHLD. */
  readonly noChildWait: boolean
  readonly noChildStop: boolean
}

/** A thread group. */
export class Process {
  readonly kernel: Machine
  readonly id: number
  /** The real parent; the tracer is a matter of each thread. */
  parent: Process
  /** In the order they were born, those inherited behind. */
  readonly children = youngArray<Process>()
  /** Its threads that have not ended, the leader's own place apart. */
  readonly tasks = youngArray<Task>()
  leader!: Task
  group: number
  session: number
  descriptors: DescriptorTable
  directory: string
  image: Image
  /** What ptrace and process_vm_readv see; a forked process has its parent's until it execs. */
  memory: Memory
  /** RLIMIT_CORE in bytes: above 0, signals that dump core say so in the status. */
  coreLimit: number
  readonly actions = new Map<number, SignalAction>()
  /** Signals for any of its threads. */
  readonly pending = new PendingSignals()
  /** Told of signals before anything is done about them; the host listens for SIGCHLD here. Answers whether it took the signal. */
  onSignal: ((signal: number) => boolean) | null = null
  /** Tells the parent of its end, and is what the parent's wait asks for. */
  exitSignal = SIGCHLD
  /** Once the process is ending: its wait status. */
  groupExit: number | null = null
  /** Who decided that. */
  endedBy: Process | null = null
  /** All threads are in a group stop. */
  stopped = false
  /** It was continued, and no wait has told so. */
  continued = false
  /** Threads that a group stop still waits for. */
  stoppingThreads = 0
  /** The signal of the group stop, until a wait has told of it. */
  stopSignal = 0
  /** What it was last stopped by, and who sent that. */
  stopCause: { readonly signal: SignalName; readonly by: number | undefined } | null = null
  /** What the first thread to wake from a stop has to tell the parent. */
  notice: 'stopped' | 'continued' | null = null
  /** It was made by a fork. */
  isFork = false
  /** It called exec, which shields it from setpgid by its parent. */
  hasExeced = false
  /** Its threads' waits for children. */
  readonly childQueue = new WaitQueue()
  /** How often its threads blocked: ru_nvcsw. */
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
    this.memory = parent?.memory ?? new Memory(image)
  }

  /** What it runs, for a report: '/bin/cat', and until it has executed anything itself 'fork of /bin/sh'. */
  get program(): string {
    const { path } = this.image
    return this.isFork && !this.hasExeced ? `fork of ${path}` : path
  }

  /** For a report: '101 (/bin/cat)'. */
  get name(): string {
    return `${this.id} (${this.program})`
  }

  handlerOf(signal: number): SignalAction['handler'] {
    return this.actions.get(signal)?.handler ?? 'default'
  }

  ignores(signal: number): void {
    this.actions.set(signal, { ...defaultAction, handler: 'ignore' })
  }

  /** The stop flags exclude each other. */
  setStopState(state: 'stopped' | 'continued' | null, notice: 'stopped' | 'continued' | null = null): void {
    this.stopped = state === 'stopped'
    this.continued = state === 'continued'
    this.notice = notice
  }
}

/** An action that is as good as none. */
export const defaultAction: SignalAction = {
  handler: 'default',
  mask: new SignalSet(),
  restart: false,
  noDefer: false,
  once: false,
  noChildWait: false,
  noChildStop: false,
}
