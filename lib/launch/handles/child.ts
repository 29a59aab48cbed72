/** A child process: its streams, its end, and signals to it. */

import { EventEmitter } from 'node:events'
import { isErrno, NotReadyError } from '../../system/errors.ts'
import { here, requireHere } from '../../system/made-here.ts'
import type { Signal, SignalName } from '../../system/signals.ts'
import type { ExitStatus, StopStatus } from '../../system/wait-status.ts'
import type { ChildExit, ChildLife } from '../children/child-life.ts'
import { type TerminateOptions, terminate } from '../children/terminate.ts'
import { type ChildStream, discard } from '../stdio/stdio.ts'
import type { ChildReadable, ChildWritable } from '../stdio/streams.ts'
import { EventContext } from './event-context.ts'
import { showBriefly, stateOf } from './show-briefly.ts'
import type { TracedThread } from './traced-thread.ts'
import type { Tracee } from './tracee.ts'

export type { ChildExit } from '../children/child-life.ts'

/**
 * Events of a child, as in child_process: its exit, then the closing of its streams. A traced child also emits each
 * stop.
 *
 * Code and signal are both null where another waiter has taken the exit status; `exited` then rejects with ECHILD.
 */
export interface ChildEvents {
  /** The child has ended and is reaped. */
  exit: [code: number | null, signal: SignalName | null]
  /** The child has ended, and its streams are closed. */
  close: [code: number | null, signal: SignalName | null]
  /** The main thread of a traced child has stopped. */
  stop: [status: StopStatus<TracedThread | Tracee>]
  /** A traced child has started a process that is followed. */
  follow: [child: Tracee]
}

/** Makes a Child, for launch(). */
export let newChild: (life: ChildLife) => Child

/** The context of a child's events. */
export let contextOf: (child: Child) => EventContext

/**
 * A launched child process.
 *
 * Its end resolves `exited` and emits 'exit', then 'close' once its streams are closed too. By then it is reaped.
 */
export class Child extends EventEmitter<ChildEvents> implements AsyncDisposable {
  /** Its process ID. After its end, another process may have the same ID. */
  readonly pid: number
  /** The child's descriptors: a stream for each that is a pipe, else null. */
  readonly stdio: readonly (ChildStream | null)[]
  /** The child's standard input, to be written; null if it is not a pipe. */
  readonly stdin: ChildWritable | null
  /** The child's standard output; null if it is not a pipe. */
  readonly stdout: ChildReadable | null
  /** The child's standard error; null if it is not a pipe. */
  readonly stderr: ChildReadable | null
  readonly #life: ChildLife
  readonly #context: EventContext

  static {
    contextOf = child => child.#context
    newChild = life => new Child(life, here)
    showBriefly(Child.prototype, child => ({ pid: child.pid, state: stateOf(null, child.#life.end) }))
  }

  /** Children come from launch(). */
  protected constructor(life: ChildLife, key: unknown, context = new EventContext()) {
    requireHere(key, 'Child', 'launch()')
    super()
    this.#life = life
    this.#context = context
    this.pid = life.pid
    this.stdio = life.streams as readonly (ChildStream | null)[]
    const [stdin = null, stdout = null, stderr = null] = life.streams
    this.stdin = stdin
    this.stdout = stdout
    this.stderr = stderr
    life.announceTo({
      exit: exit => this.#announce('exit', exit),
      close: exit => this.#announce('close', exit),
    })
  }

  /** Resolves when the child has ended and is reaped. Rejects with ECHILD when another waiter has reaped it. */
  get exited(): Promise<ChildExit> {
    return this.#life.exited
  }

  /**
   * Resolves once the program has said that it is ready, in the way that the option `ready` names.
   *
   * Rejects with NotReadyError if the child ends, or closes its notification descriptor, before that, or was launched
   * without the option. A rejection that nothing awaits does not count as unhandled.
   */
  get ready(): Promise<void> {
    return this.#life.readiness?.ready ?? withoutReadiness(this.pid)
  }

  /** The last STATUS= that the program has sent by sd_notify(3); null without one. */
  get status(): string | null {
    return this.#life.readiness?.status ?? null
  }

  /**
   * Sends a signal, `kill(2)`; SIGTERM by default. False when the child has already ended.
   *
   * @throws SystemError EINVAL for a number that is not a signal, EPERM for a child that has become another user.
   */
  kill(signal: Signal = 'SIGTERM'): boolean {
    return this.#life.kill(signal)
  }

  /**
   * Ends the child: sends `signal` (SIGTERM) and SIGCONT, and after `graceMs` (5000) SIGKILL. If the child leads a
   * process group, the whole group gets them. Resolves with the child's end, once its group has ended too.
   *
   * A traced child is run to its end, as by `run()`: its stops are passed on. After the child's end nothing is sent.
   *
   * @throws (by rejection) SystemError EPERM for a child, or members of its group, of another user. ECHILD if another
   * waiter has reaped the child. TypeError ERR_INVALID_ARG_VALUE for `group: true` with a child that leads no group.
   *
   * @example await child.terminate({ graceMs: 1000 })
   */
  terminate(options: TerminateOptions = {}): Promise<ExitStatus> {
    return terminate(this.#life, options)
  }

  /** Keeps the event loop alive for this child (the default). */
  ref(): void {
    this.#life.keepAlive(true)
  }

  /** Lets the event loop end while this child lives. */
  unref(): void {
    this.#life.keepAlive(false)
  }

  /**
   * Kills the child, waits for its end and closes its streams.
   *
   * @throws (by rejection) SystemError EPERM for a child that has become another user: it lives on, its streams closed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { watched } = this.#life
    // The wait below must keep the event loop alive, even after unref().
    this.ref()
    try {
      // Checked before the kill: if another waiter has reaped the child, another process may have its pid.
      watched.check()
      this.kill('SIGKILL')
      await this.exited.catch((error: unknown) => {
        if (!isErrno(error, 'ECHILD')) throw error
      })
    } finally {
      for (const stream of this.stdio) discard(stream)
    }
  }

  #announce(event: 'exit' | 'close', exit: ChildExit | null): void {
    this.#context.emit(this, event, () => void this.emit(event, exit?.code ?? null, exit?.signal ?? null))
  }
}

function withoutReadiness(pid: number): Promise<void> {
  const rejected = Promise.reject(new NotReadyError(pid, "was launched without the option 'ready'"))
  rejected.catch(() => {})
  return rejected
}
