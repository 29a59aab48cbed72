/** A child process: its streams, its end, and signals to it. */

import { EventEmitter } from 'node:events'
import { callListener } from '../system/call-listener.ts'
import type { SystemError } from '../system/errors.ts'
import { isErrno } from '../system/errors.ts'
import type { Signal, SignalName } from '../system/signals.ts'
import type { ResourceUsage, System, WaitResult } from '../system/system.ts'
import { type ExitStatus, isExit, type StopStatus } from '../system/wait-status.ts'
import { type ChildListener, WatchedChild } from './child-watch.ts'
import type { ChildStream } from './stdio.ts'
import { ChildReadable, ChildWritable } from './streams.ts'

/** How a child ended, and what it used. */
export type ChildExit = ExitStatus & { readonly rusage: ResourceUsage }

/** What `exited` comes to. */
type ChildEnd = { readonly exit: ChildExit } | { readonly error: SystemError }

/** Events of a child, as child_process has them: its exit, and the closing of its streams after that. Of a traced one, each stop. */
export interface ChildEvents {
  exit: [code: number | null, signal: SignalName | null]
  close: [code: number | null, signal: SignalName | null]
  stop: [status: StopStatus]
}

/**
 * A child process that was launched.
 *
 * Its end resolves `exited` and is emitted as 'exit', then, once its streams are closed too, as 'close'. By then it is reaped.
 */
export class Child extends EventEmitter<ChildEvents> implements AsyncDisposable, ChildListener {
  readonly pid: number
  /** The child's descriptors: a stream for each that is a pipe, else null. */
  readonly stdio: readonly (ChildStream | null)[]
  readonly stdin: ChildWritable | null
  readonly stdout: ChildReadable | null
  readonly stderr: ChildReadable | null

  protected readonly system: System
  protected readonly watched: WatchedChild
  #launcher: ((result: WaitResult) => boolean) | undefined
  #isHandedOver = false
  // An end that came before the launch was over: nobody could be listening yet.
  #untold: ChildExit | undefined
  // Made when somebody asks for it: a launch has no need of it.
  #exited: Promise<ChildExit> | undefined
  #end: ChildEnd | undefined
  #settle: ((end: ChildEnd) => void) | undefined

  /** @internal Children come from launch(). */
  constructor(system: System, pid: number, stdio: readonly (ChildStream | null)[]) {
    super()
    this.system = system
    this.pid = pid
    this.stdio = stdio
    const [stdin, stdout, stderr] = stdio
    this.stdin = stdin instanceof ChildWritable ? stdin : null
    this.stdout = stdout instanceof ChildReadable ? stdout : null
    this.stderr = stderr instanceof ChildReadable ? stderr : null
    this.watched = new WatchedChild(system, pid, this)
  }

  /** Resolves when the child has ended and was reaped. Rejects with ECHILD when somebody else reaped it. */
  get exited(): Promise<ChildExit> {
    this.#exited ??= this.#whenEnded()
    return this.#exited
  }

  /**
   * Sends a signal, `kill(2)`; SIGTERM when none is given. False when the child has ended already.
   *
   * @throws SystemError EINVAL for a number that is no signal, EPERM for a child that became another user.
   */
  kill(signal: Signal = 'SIGTERM'): boolean {
    // After its end the pid may be somebody else's.
    if (this.watched.ended) return false
    this.system.kill(this.pid, signal)
    return true
  }

  /** Lets the event loop stay alive for this child (the default). */
  ref(): void {
    this.watched.keepsAlive = true
  }

  /** Lets the event loop end although this child lives. */
  unref(): void {
    this.watched.keepsAlive = false
  }

  /** Kills the child, waits for its end and closes its streams. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Waited for here, whoever has let go of it before.
    this.ref()
    this.kill('SIGKILL')
    await this.exited.catch((error: unknown) => {
      if (!isErrno(error, 'ECHILD')) throw error
    })
    for (const stream of this.stdio) stream?.destroy()
  }

  /** @internal Until the launch is over its launcher sees each change first, and keeps it to itself by returning true. */
  set launcher(takes: ((result: WaitResult) => boolean) | undefined) {
    this.#launcher = takes
  }

  /** @internal The launch is over. An end that came before is told once those who await the launch have had their turn. */
  handOver(): void {
    this.#launcher = undefined
    this.#isHandedOver = true
    const exit = this.#untold
    if (exit !== undefined) void this.system.sleep(0).then(() => this.#finishStreams(exit))
  }

  /** @internal Takes the changes that are there already. */
  poll(): void {
    this.watched.poll()
  }

  /** @internal A change of state that waitpid told. */
  changed(result: WaitResult): void {
    if (this.#launcher?.(result) !== true) this.onChange(result)
  }

  /** @internal */
  protected onChange(result: WaitResult): void {
    const { status, rusage } = result
    if (isExit(status)) this.onExit({ ...status, rusage })
  }

  /** @internal */
  protected onExit(exit: ChildExit): void {
    this.#settleWith({ exit })
    if (this.#isHandedOver) this.#finishStreams(exit)
    else this.#untold = exit
  }

  /** @internal Somebody else has reaped it. */
  lost(error: SystemError): void {
    this.#settleWith({ error })
    for (const stream of this.stdio) stream?.destroy()
  }

  #whenEnded(): Promise<ChildExit> {
    const exited = new Promise<ChildExit>((resolve, reject) => {
      this.#settle = end => ('exit' in end ? resolve(end.exit) : reject(end.error))
      if (this.#end !== undefined) this.#settle(this.#end)
    })
    // Whoever wants to know of a loss awaits it; nobody has to.
    exited.catch(() => {})
    return exited
  }

  #settleWith(end: ChildEnd): void {
    this.#end = end
    this.#settle?.(end)
  }

  // As child_process does it: nobody reads what is written to the child any more, and output that nobody reads must not keep it open.
  #finishStreams(exit: ChildExit): void {
    this.stdin?.destroy()
    callListener(() => this.emit('exit', exit.code, exit.signal))
    queueMicrotask(() => {
      for (const stream of this.stdio) {
        if (stream === null || stream instanceof ChildWritable) continue
        // What another child reads is not ours to read; it has a descriptor of its own.
        if (stream.isGivenAway) stream.destroy()
        else stream.resume()
      }
    })
    let open = 0
    const closed = () => {
      if (--open < 0) callListener(() => this.emit('close', exit.code, exit.signal))
    }
    for (const stream of this.stdio) {
      if (stream === null || stream.closed) continue
      open++
      // First of all: a listener of the user's that throws keeps it from none of those behind it.
      stream.prependOnceListener('close', closed)
    }
    queueMicrotask(closed)
  }
}
