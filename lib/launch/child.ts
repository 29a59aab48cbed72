/** A child process: its streams, its end, and signals to it. */

import { EventEmitter } from 'node:events'
import { isErrno } from '../system/errors.ts'
import type { Signal, SignalName } from '../system/signals.ts'
import type { StopStatus } from '../system/wait-status.ts'
import type { ChildExit, ChildLife } from './child-life.ts'
import { type ChildStream, discard } from './stdio.ts'
import { ChildReadable, ChildWritable } from './streams.ts'

export type { ChildExit } from './child-life.ts'

/**
 * Events of a child, as child_process has them: its exit, and the closing of its streams after that. Of a traced one, each stop.
 *
 * Code and signal are both null for a child whose status another waiter has taken: `exited` rejects with ECHILD then.
 */
export interface ChildEvents {
  /** The child has ended and was reaped. */
  exit: [code: number | null, signal: SignalName | null]
  /** The streams of an ended child are closed, too. */
  close: [code: number | null, signal: SignalName | null]
  /** A traced child has stopped. */
  stop: [status: StopStatus]
}

/** Makes a Child, for launch(). */
export let newChild: (life: ChildLife) => Child

/**
 * A child process that was launched.
 *
 * Its end resolves `exited` and is emitted as 'exit', then, once its streams are closed too, as 'close'. By then it is reaped.
 */
export class Child extends EventEmitter<ChildEvents> implements AsyncDisposable {
  /** Its process number. Once it has ended the number may be another process's. */
  readonly pid: number
  /** The child's descriptors: a stream for each that is a pipe, else null. */
  readonly stdio: readonly (ChildStream | null)[]
  /** What is written here is the child's standard input; null where that is no pipe. */
  readonly stdin: ChildWritable | null
  /** The child's standard output; null where that is no pipe. */
  readonly stdout: ChildReadable | null
  /** The child's standard error; null where that is no pipe. */
  readonly stderr: ChildReadable | null
  readonly #life: ChildLife

  static {
    newChild = life => new Child(life)
  }

  /** Children come from launch(). */
  protected constructor(life: ChildLife) {
    super()
    this.#life = life
    this.pid = life.pid
    this.stdio = life.streams
    const [stdin, stdout, stderr] = life.streams
    this.stdin = stdin instanceof ChildWritable ? stdin : null
    this.stdout = stdout instanceof ChildReadable ? stdout : null
    this.stderr = stderr instanceof ChildReadable ? stderr : null
    life.announcer = {
      exit: exit => this.emit('exit', exit?.code ?? null, exit?.signal ?? null),
      close: exit => this.emit('close', exit?.code ?? null, exit?.signal ?? null),
    }
  }

  /** Resolves when the child has ended and was reaped. Rejects with ECHILD when another waiter has reaped it. */
  get exited(): Promise<ChildExit> {
    return this.#life.exited
  }

  /**
   * Sends a signal, `kill(2)`; SIGTERM when none is given. False when the child has ended already.
   *
   * @throws SystemError EINVAL for a number that is no signal, EPERM for a child that became another user.
   */
  kill(signal: Signal = 'SIGTERM'): boolean {
    const { system, watched } = this.#life
    // After its end the pid may be another process's.
    if (watched.ended) return false
    try {
      system.kill(this.pid, signal)
      return true
    } catch (error) {
      // A child of ours stays a process until it is reaped: another waiter has done that.
      if (!isErrno(error, 'ESRCH')) throw error
      watched.poll()
      return false
    }
  }

  /** Lets the event loop stay alive for this child (the default). */
  ref(): void {
    this.#life.watched.keepsAlive = true
  }

  /** Lets the event loop end although this child lives. */
  unref(): void {
    this.#life.watched.keepsAlive = false
  }

  /**
   * Kills the child, waits for its end and closes its streams.
   *
   * @throws (by rejection) SystemError EPERM for a child that became another user: it lives on, its streams closed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { watched } = this.#life
    // Waited for here, even after an unref().
    this.ref()
    try {
      // A child that another waiter has reaped is found out first: its number may be another process's already.
      watched.check()
      this.kill('SIGKILL')
      await this.exited.catch((error: unknown) => {
        if (!isErrno(error, 'ECHILD')) throw error
      })
    } finally {
      for (const stream of this.stdio) discard(stream)
    }
  }
}
