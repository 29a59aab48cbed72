/** What processes need of the kernel, and the tracepoints they fire. */

import type { Tracepoint } from '../base/tracepoint.ts'
import { FileTracepoints, type World } from '../files/world.ts'
import type { FileTree } from './file-tree.ts'
import type { PendingSignal, SignalOrigin } from './pending-signals.ts'
import type { Process } from './process.ts'
import type { Action, CallRow, Code, Request, Task } from './task.ts'

/** The kernel, as processes know it. */
export interface Machine extends World {
  readonly trace: ProcessTracepoints
  readonly acting: Task
  /** A call that a program's code has yielded, until the step takes it: only a `yield*` hands it on to the step. */
  offered: Request | null
  /** The paths of the world, and the code of its programs. */
  readonly fileTree: FileTree<Code>
  readonly processes: Map<number, Process>
  readonly tasks: Map<number, Task>
  /** The parent of orphans, which reaps them. */
  readonly init: Process
  /** The host's parent, which keeps the host's group from being orphaned. */
  readonly shell: Process
  newPid(): number
  /** A mark that no memory has yet. */
  newMemoryMark(): number
  newActorId(): number
  /** The time, read by a task. */
  timeFor(task: Task): number
  /** Carries out a system call, or a fault in its place. */
  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown
  /** Records an error that a program did not catch. */
  crashed(process: Process, error: unknown): void
  /** Puts the task into the run queue. */
  makeRunnable(task: Task): void
  /** Takes the task out of the run queue. `code` is its stop code, or its wait status if it has ended. */
  park(task: Task, state: 'stopped' | 'traced' | 'zombie', code: number): void
}

/**
 * Tracepoints of processes. Those of the first group report only that a move reads or changes shared state, on which
 * other moves depend; the others report what happens.
 */
export class ProcessTracepoints extends FileTracepoints {
  /** Any state of a process is read or changed. */
  processUsed: Tracepoint<[process: Process]> = null
  /** The state that a wait of its parent sees is read: the end and the stops of a process. */
  waitStateUsed: Tracepoint<[process: Process]> = null
  /** The set of process numbers is read: a call finds that a number names no process. */
  numbersUsed: Tracepoint<[]> = null
  /** The groups and sessions of processes are read or changed. */
  groupsUsed: Tracepoint<[]> = null
  /** A child sends the host's SIGCHLD listeners news. The order of different senders does not matter to them. */
  newsSent: Tracepoint<[sender: number]> = null

  /** A task begins a system call; a restarted call begins again. Its effects are traced between this and `answered`. */
  calling: Tracepoint<[task: Task, call: CallRow, args: readonly unknown[]]> = null
  /** The current call returns a result, a negative errno, `blocked` or a restart. A blocked one returns once more. */
  answered: Tracepoint<[task: Task, result: unknown]> = null
  /** A signal handler is about to run. */
  handling: Tracepoint<[task: Task, signal: number]> = null
  /** A process or thread has been made, and is not yet runnable. */
  forked: Tracepoint<[parent: Task, child: Task]> = null
  /** The task's process runs another program from now on. */
  executed: Tracepoint<[task: Task]> = null
  /** A signal is sent to the task or its process. `asNews`: the host's listeners take it, and it goes no further. */
  signalSent: Tracepoint<[task: Task, signal: number, origin: SignalOrigin, asNews: boolean]> = null
  /** A signal was queued, or merged with this pending one. */
  signalQueued: Tracepoint<[pending: PendingSignal]> = null
  /** The task takes a signal from its own queue or its process's. */
  signalTaken: Tracepoint<[task: Task, pending: PendingSignal]> = null
  /** The process is bound to end, to go on after a stop, or to lose its other threads to an exec. */
  decided: Tracepoint<[process: Process]> = null
  /** The task begins to exit; its descriptors are still open. */
  exiting: Tracepoint<[task: Task, status: number]> = null
  /** The task stops, with its stop code, or has ended, with its wait status. */
  parked: Tracepoint<[task: Task, state: 'stopped' | 'traced' | 'zombie', code: number]> = null
  /** The acting task has made a stopped one runnable. */
  letGo: Tracepoint<[task: Task]> = null
  /** A task that was stopped takes its next step. */
  goesOn: Tracepoint<[task: Task]> = null
  /** The task is about to be removed and its number freed. */
  reaped: Tracepoint<[task: Task]> = null
  /** `by` observes the state of a thread or process: a wait reports it, or ptrace(2) finds it stopped. */
  stateSeen: Tracepoint<[of: Task | Process, by: Task]> = null
}
