/**
 * The internals of a Child. Its changes go to the launch first, then to its tracer. Every waiter sees its end once.
 */

import { checkSignal } from '../../system/arguments.ts'
import { callListener } from '../../system/call-listener.ts'
import { describeErrno } from '../../system/errno.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { Signal } from '../../system/signals.ts'
import type { ResourceUsage, System } from '../../system/system.ts'
import { type ExitStatus, isExit, type StopStatus } from '../../system/wait-status.ts'
import { toBeOwned } from '../base/owned-fd.ts'
import type { ServiceReadiness } from '../readiness/service-readiness.ts'
import { type ChildStreams, discard } from '../stdio/stdio.ts'
import { isGivenAway } from '../stdio/streams.ts'
import { watchOf } from './child-watch.ts'
import type { Foreground } from './foreground.ts'
import { endByPidfd, type PidfdEnd } from './pidfd-end.ts'
import { type Change, type ChildListener, WatchedChild } from './watched-child.ts'

/** How a child ended, and what it used. */
export type ChildExit = ExitStatus & { readonly rusage: ResourceUsage }

/** Receives each change of a child until its launch is over. */
export interface Launcher extends Omit<ChildListener, 'changed'> {
  /** True for a change that concerns only the launch. */
  changed(change: Change): boolean
}

/** Receives each change that the launch passes on. */
export interface Tracer extends ChildListener {
  /** The exec event that ends the launch, if no user code has had the child before it. */
  launched(status: StopStatus): void
}

/**
 * Emits the child's public events: its exit, then the closing of its streams. Null if another waiter has taken the exit
 * status.
 */
export interface Announcer {
  exit(exit: ChildExit | null): void
  close(exit: ChildExit | null): void
}

export type End = { readonly exit: ChildExit } | { readonly error: SystemError }

/** One child, from its fork to its end. */
export class ChildLife {
  readonly system: System
  readonly pid: number
  readonly streams: ChildStreams
  readonly watched: WatchedChild
  /** Set until the launch is over. */
  launcher: Launcher | undefined
  tracer: Tracer | undefined
  /** Runs a traced child to its end. */
  drive: (() => Promise<unknown>) | undefined
  /** Set if the child has taken the terminal. */
  foreground: Foreground | undefined
  /** Whether launch() has handed it to its user: it is a child of this process. */
  isLaunched = false
  /** Set if the launch has the option `ready`. */
  readiness: ServiceReadiness | undefined
  // Open from a moment before its detach.
  #pidfd = -1
  // Set while the pidfd reports its end.
  #elsewhere: PidfdEnd | undefined
  #isHandedOver = false
  // One for each handle: the launch's, and that of each attach() to this child.
  #announcers: readonly Announcer[] = []
  // Tracers that have detached from the child. They still get its end.
  #formerTracers: readonly Tracer[] = []
  // Created on first use: a launch does not need it.
  #exited: Promise<ChildExit> | undefined
  #end: End | undefined
  #settle: ((end: End) => void) | undefined

  constructor(system: System, pid: number, streams: ChildStreams) {
    this.system = system
    this.pid = pid
    this.streams = streams
    this.watched = new WatchedChild(system, pid, {
      life: this,
      changed: result => this.#changed(result),
      lost: error => this.#lost(error),
      quiet: () => (this.launcher ?? this.tracer)?.quiet?.(),
    })
  }

  get exited(): Promise<ChildExit> {
    this.#exited ??= this.#whenEnded()
    return this.#exited
  }

  /** The pidfd of a detached process that another process reaps; -1 for any other child. */
  get pidfd(): number {
    return this.#elsewhere?.pidfd ?? this.#pidfd
  }

  /** Whether no signal can reach it any more: it was reaped or forgotten, and no pidfd names it. */
  get hasEnded(): boolean {
    return this.watched.ended && this.pidfd < 0
  }

  /** Its end, once there is one. */
  get end(): End | undefined {
    return this.#end
  }

  /** See {@link Child.kill}. */
  kill(signal: Signal): boolean {
    const { system, watched, pid, pidfd } = this
    if (pidfd >= 0) {
      const result = privateCallsOf(system)?.signalByPidfd(pidfd, checkSignal(signal), false) ?? 0
      if (result < 0 && describeErrno(-result).code !== 'ESRCH') {
        throw new SystemError({ errno: result, syscall: 'pidfd_send_signal', pid })
      }
      return result === 0
    }
    // After the child's end, another process may have its pid.
    if (watched.ended) return false
    try {
      system.kill(pid, signal)
      return true
    } catch (error) {
      // An unreaped child still takes signals: ESRCH means that another waiter has reaped it.
      if (!isErrno(error, 'ESRCH')) throw error
      watched.poll()
      return false
    }
  }

  /** Has the child's end announced to one more handle. */
  announceTo(announcer: Announcer): void {
    this.#announcers = [...this.#announcers, announcer]
  }

  /** Sets the tracer. An earlier one, which has detached, still gets the child's end. */
  traceBy(tracer: Tracer): void {
    if (this.tracer !== undefined) this.#formerTracers = [...this.#formerTracers, this.tracer]
    this.tracer = tracer
  }

  /** Ends the launch. An earlier end is announced only after the code that awaits the launch has run. */
  handOver(): void {
    this.launcher = undefined
    this.#isHandedOver = true
    if (this.tracer !== undefined) this.watched.isFoundBySearch = true
    if (this.#end !== undefined) void this.system.sleep(0).then(() => this.#announce())
  }

  /** Opens the pidfd of a process about to be detached. Once its parent can reap it, its number may be reused. */
  openPidfd(): void {
    if (this.#pidfd >= 0) return
    this.#pidfd = toBeOwned(this.system, () => privateCallsOf(this.system)?.openPidfd(this.pid) ?? -1)
  }

  /** Hands the child to its own parent, which reaps it from now on: the pidfd reports its end. */
  endElsewhere(): void {
    this.openPidfd()
    this.watched.forget()
    const elsewhere = endByPidfd(this.system, this.pid, this.#pidfd)
    this.#pidfd = -1
    elsewhere.keepsAlive = this.watched.keepsAlive
    this.#elsewhere = elsewhere
    void elsewhere.end.then(end => {
      this.#elsewhere = undefined
      if ('error' in end) this.tracer?.lost(end.error)
      else this.tracer?.changed({ status: statusOf(end.exit), rusage: end.exit.rusage })
      this.#endWith(end)
    })
  }

  /** Sets whether the wait for its end keeps the event loop alive. */
  keepAlive(keepsAlive: boolean): void {
    this.watched.keepsAlive = keepsAlive
    if (this.#elsewhere !== undefined) this.#elsewhere.keepsAlive = keepsAlive
  }

  #changed(change: Change): void {
    this.foreground?.changed(change)
    if (this.launcher?.changed(change) === true) return
    const { status, rusage } = change
    try {
      this.tracer?.changed(change)
    } finally {
      // Also after a stop listener has thrown.
      if (isExit(status)) {
        for (const tracer of this.#formerTracers) callListener(() => tracer.changed(change))
        this.#endWith({ exit: withUsage(status, rusage!) })
      }
    }
  }

  #lost(error: SystemError): void {
    this.foreground?.reclaim()
    this.launcher?.lost(error)
    this.tracer?.lost(error)
    for (const tracer of this.#formerTracers) callListener(() => tracer.lost(error))
    this.#endWith({ error })
  }

  #whenEnded(): Promise<ChildExit> {
    const exited = new Promise<ChildExit>((resolve, reject) => {
      // Named first: V8 allocates a function literal that is assigned to a property in the old generation, where it
      // keeps what it closes over until a full collection.
      const settle = (end: End) => ('exit' in end ? resolve(end.exit) : reject(end.error))
      this.#settle = settle
      if (this.#end !== undefined) settle(this.#end)
    })
    // A caller need not await `exited`: without this, its rejection would be unhandled.
    exited.catch(() => {})
    return exited
  }

  #endWith(end: End): void {
    this.#end = end
    // Open if the child was killed before it could be detached.
    if (this.#pidfd >= 0) this.system.close(this.#pidfd)
    this.#pidfd = -1
    this.readiness?.childEnded(this.pid, 'exit' in end ? statusOf(end.exit) : null)
    this.#settle?.(end)
    // Before the launch is over, no listener can exist.
    if (this.#isHandedOver) this.#announce()
  }

  // As in child_process: stdin has no reader any more, and unread output must not keep its stream open.
  #announce(): void {
    const exit = this.#end !== undefined && 'exit' in this.#end ? this.#end.exit : null
    const announcers = this.#announcers
    const [stdin, ...outputs] = this.streams
    if (stdin) discard(stdin)
    for (const announcer of announcers) callListener(() => announcer.exit(exit))
    queueMicrotask(() => {
      for (const stream of outputs) {
        if (!stream) continue
        // A stream given to another child must not be read here; that child has its own descriptor.
        if (isGivenAway(stream)) discard(stream)
        else stream.resume()
      }
    })
    this.#onceStreamsAreClosed(() => {
      for (const announcer of announcers) callListener(() => announcer.close(exit))
    })
  }

  #onceStreamsAreClosed(then: () => void): void {
    let open = 0
    const closed = () => {
      if (--open < 0) then()
    }
    for (const stream of this.streams) {
      if (!stream || stream.closed) continue
      open++
      // Prepended: a user's listener that throws would keep the event from those behind it.
      stream.prependOnceListener('close', closed)
    }
    queueMicrotask(closed)
  }
}

/** The child with this pid that launch() has handed to its user and that has not ended; undefined without one. */
export function launchedLife(system: System, pid: number): ChildLife | undefined {
  const life = watchOf(system).find(pid)?.listener.life
  return life instanceof ChildLife && life.isLaunched ? life : undefined
}

/** An end with its usage. Not a spread, which V8 gives a hidden class of its own at each end. */
export function withUsage(status: ExitStatus, rusage: ResourceUsage): ChildExit {
  if (status.kind === 'exited') return { kind: 'exited', code: status.code, signal: null, rusage }
  const { signal, coreDumped } = status
  return { kind: 'signaled', code: null, signal, coreDumped, rusage }
}

/** The status alone, without the usage. */
export function statusOf(exit: ChildExit): ExitStatus {
  if (exit.kind === 'exited') return { kind: 'exited', code: exit.code, signal: null }
  return { kind: 'signaled', code: null, signal: exit.signal, coreDumped: exit.coreDumped }
}
