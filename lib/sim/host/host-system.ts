/** System as the calling JavaScript has it: the process it is in a simulated world. */

import { childChangeArguments, readyArguments, sleepArguments, watchArguments } from '../../system/awaited-arguments.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import { awaitedHint, offerPrivateCalls, type PrivateCalls } from '../../system/private-calls.ts'
import type { Abortable, ReadinessListener, ReadinessWatch, System } from '../../system/system.ts'

import { ENOSYS } from '../base/results.ts'

import { SIGCHLD } from '../base/signal-numbers.ts'
import { simulatedHint } from '../base/simulated-hint.ts'
import { calls } from '../calls/table.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { whyNotAttached } from '../processes/tracing.ts'
import { BlockingCalls } from './blocking-calls.ts'
import { AwaitedReadiness, AwaitedTime, ChildNews, WatchedReadiness } from './host-awaits.ts'
import { SynchronousCalls } from './synchronous-calls.ts'

/** A class, not a literal, which V8 may put into the old generation, where it would keep its world: see youngArray. */
class HostPrivateCalls implements PrivateCalls {
  readonly awaitedChildren: Set<number>
  readonly seizeAwaited: PrivateCalls['seizeAwaited']
  readonly #kernel: Kernel

  constructor(kernel: Kernel, awaitedChildren: Set<number>, seizeAwaited: PrivateCalls['seizeAwaited']) {
    this.#kernel = kernel
    this.awaitedChildren = awaitedChildren
    this.seizeAwaited = seizeAwaited
  }

  /** Not a move of the host: it is asked after the child's end of file, when the answer can no longer change. */
  hasExeced(pid: number): boolean {
    return this.#kernel.processes.get(pid)?.hasExeced ?? false
  }

  whyNotFound(): string {
    return simulatedHint
  }

  /** Not a move either: it is asked right after a wait, which saw the same state. */
  isInTraceStop(pid: number): boolean {
    const task = this.#kernel.tasks.get(pid)
    // SIGKILL ends the stop, before the task takes its next step.
    return task?.state === 'traced' && !task.killed
  }

  /** Simulated pids are never used again. */
  openPidfd(): number {
    return -ENOSYS
  }

  signalByPidfd(): number {
    return -ENOSYS
  }

  hasLivingMember(group: number): boolean {
    for (const process of this.#kernel.processes.values()) {
      if (process.group === group && process.tasks.length > 0) return true
    }
    return false
  }
}

/** The host's System. */
export class HostSystem extends SynchronousCalls implements System {
  readonly kind = 'simulated'
  readonly #kernel: Kernel
  readonly #readiness: Set<AwaitedReadiness> = new Set()
  readonly #childNews: ChildNews
  readonly #awaitedChildren: Set<number> = new Set()

  /** @param deadlockError Makes the error thrown from a call that can never return. */
  constructor(kernel: Kernel, deadlockError: (kernel: Kernel) => Error) {
    super(new BlockingCalls(kernel, deadlockError))
    this.#kernel = kernel
    this.#childNews = new ChildNews(kernel)
    const { host } = kernel
    const seize = (pid: number, options: number) => super.ptraceSeize(pid, options)
    offerPrivateCalls(this, new HostPrivateCalls(kernel, this.#awaitedChildren, seize))
    host.process.descriptors.onRemove = fd => {
      if (host.exiting) return
      for (const awaited of [...this.#readiness]) {
        if (awaited.fd !== fd) continue
        this.#readiness.delete(awaited)
        awaited.closed()
      }
    }
    host.process.onSignal = signal => {
      if (signal !== SIGCHLD) return false
      this.#childNews.notify()
      return true
    }
  }

  now(): number {
    return this.#kernel.timeFor(this.#kernel.host)
  }

  async ready(fd: number, events: number, options: Abortable = {}): Promise<number> {
    const { events: mask, signal } = readyArguments(fd, events, options)
    signal?.throwIfAborted()
    const file = this.#kernel.host.process.descriptors.get(fd)
    if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'epoll_ctl' })
    const awaited = new AwaitedReadiness(this.#kernel, fd, file, mask, signal)
    this.#readiness.add(awaited)
    return awaited.promise.finally(() => this.#readiness.delete(awaited))
  }

  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch {
    const { events: mask, listener: checked } = watchArguments(fd, events, listener)
    const file = this.#kernel.host.process.descriptors.get(fd)
    if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'epoll_ctl' })
    const watched = new WatchedReadiness(this.#kernel, fd, file, mask, checked)
    this.#readiness.add(watched)
    return {
      get keepsAlive() {
        return watched.keepsAlive
      },
      set keepsAlive(keepsAlive) {
        watched.keepsAlive = keepsAlive
        watched.kernel.loop.updateKeepAlive()
      },
      stop: () => {
        if (this.#readiness.delete(watched)) watched.stop()
      },
    }
  }

  async sleep(ms: number, options: Abortable = {}): Promise<void> {
    const { ms: duration, signal } = sleepArguments(ms, options)
    signal?.throwIfAborted()
    await new AwaitedTime(this.#kernel, this.#kernel.clock.now() + duration, signal).promise
  }

  onChildChange(listener: () => void, options: { readonly keepAlive?: boolean } = {}): () => void {
    const { keepAlive } = childChangeArguments(listener, options)
    return this.#childNews.subscribe(listener, keepAlive)
  }

  override ptraceSeize(pid: number, options: number): void {
    calls.ptraceSeize.prepare(pid, options)
    this.#attach(pid, () => super.ptraceSeize(pid, options))
  }

  override ptraceAttach(pid: number): void {
    calls.ptraceAttach.prepare(pid)
    this.#attach(pid, () => super.ptraceAttach(pid))
  }

  /**
   * Refuses what launch() waits for, whose stops it would take, and says why Linux refuses others. Bad arguments come
   * first: they have been checked.
   */
  #attach(pid: number, attach: () => void): void {
    if (this.#awaitedChildren.has(pid)) {
      throw new SystemError({ errno: 'EPERM', syscall: 'ptrace', pid, hint: awaitedHint })
    }
    try {
      attach()
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error
      const hint = whyNotAttached(this.#kernel.host, pid)
      throw new SystemError({ errno: error.errno, syscall: error.syscall, pid, hint })
    }
  }
}
