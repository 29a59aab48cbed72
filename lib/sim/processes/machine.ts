/** What processes need of the kernel they are in, and the facts they tell. The kernel has it. */

import type { Tracepoint } from '../base/tracepoint.ts'
import { FileTracepoints, type World } from '../files/world.ts'
import type { FileTree } from './file-tree.ts'
import type { PendingSignal, SignalOrigin } from './pending-signals.ts'
import type { Process } from './process.ts'
import type { Action, CallRow, Code, Task } from './task.ts'

/** The kernel, as its processes know it. */
export interface Machine extends World {
  readonly trace: ProcessTracepoints
  readonly acting: Task
  /** The paths there are, and the code behind those of programs. */
  readonly fileTree: FileTree<Code>
  readonly processes: Map<number, Process>
  readonly tasks: Map<number, Task>
  /** Takes in orphans, and reaps them. */
  readonly init: Process
  /** The host's parent, so that the host's group is no orphan. */
  readonly shell: Process
  newPid(): number
  newActorId(): number
  /** The time, as a task asks for it. */
  timeFor(task: Task): number
  /** Carries out a system call, unless a fault comes in its place. */
  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown
  /** A program did not catch an error. */
  crashed(process: Process, error: unknown): void
  /** The scheduler may let the task step from now on. */
  makeRunnable(task: Task): void
  /** The task stops, with its stop code, or has ended, with its wait status. */
  park(task: Task, state: 'stopped' | 'traced' | 'zombie', code: number): void
}

/**
 * The facts that processes tell, besides those of their files. A fact of the first group says only that shared state is looked at or
 * changed, so that moves depend on each other; the others say what happened.
 */
export class ProcessTracepoints extends FileTracepoints {
  /** A process is looked at or changed, in whatever respect. */
  processUsed: Tracepoint<[process: Process]> = null
  /** Of a process only that is looked at which a wait of its parent sees: its end, its stops. */
  waitStateUsed: Tracepoint<[process: Process]> = null
  /** Which numbers are in use: a fork takes one, a reap gives it back, and a call may find that a number names nothing. */
  numbersUsed: Tracepoint<[]> = null
  /** Which processes are in which group and session. */
  groupsUsed: Tracepoint<[]> = null
  /** The host's listeners are to hear of a change of a child: each tells of itself, by its number, in whatever order. */
  newsSent: Tracepoint<[sender: number]> = null

  /** A task begins a system call; made again after a signal, it begins again. What a call causes is told between this and `answered`. */
  calling: Tracepoint<[task: Task, call: CallRow, args: readonly unknown[]]> = null
  /** The call under way answers: a result, a negative errno, `blocked`, or that a signal interrupted it. A blocked one answers once more. */
  answered: Tracepoint<[task: Task, result: unknown]> = null
  /** A handler of the program is about to run. */
  handling: Tracepoint<[task: Task, signal: number]> = null
  /** A new process or thread, not yet runnable. */
  forked: Tracepoint<[parent: Task, child: Task]> = null
  /** The task's process has become another program. */
  executed: Tracepoint<[task: Task]> = null
  /** A signal was sent to the task, or to any of its process's; `asNews`: the process listens for it, and it goes no further. */
  signalSent: Tracepoint<[task: Task, signal: number, origin: SignalOrigin, asNews: boolean]> = null
  /** A signal was queued, or is one with this that was. */
  signalQueued: Tracepoint<[pending: PendingSignal]> = null
  /** The task takes a signal off its queue or its process's. */
  signalTaken: Tracepoint<[task: Task, pending: PendingSignal]> = null
  /** It is decided that the process ends, or goes on after a stop. */
  decided: Tracepoint<[process: Process]> = null
  /** The task begins to exit; its descriptors are not yet closed. */
  exiting: Tracepoint<[task: Task, status: number]> = null
  /** The task stops, with its stop code, or has ended, with its wait status. */
  parked: Tracepoint<[task: Task, state: 'stopped' | 'traced' | 'zombie', code: number]> = null
  /** The acting task has made a stopped one runnable. */
  letGo: Tracepoint<[task: Task]> = null
  /** A task that was stopped takes its next step. */
  goesOn: Tracepoint<[task: Task]> = null
  /** The last trace of a task is gone, and its number is free. */
  reaped: Tracepoint<[task: Task]> = null
  /** `by` learns the state of a thread, or of a whole process: by a wait, or because ptrace(2) finds it stopped. */
  toldState: Tracepoint<[of: Task | Process, by: Task]> = null
}
