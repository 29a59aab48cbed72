/** The host's System: the calling JavaScript as a process of a simulated world. */

import { childChangeArguments, readyArguments, sleepArguments, watchArguments } from '../../system/awaited-arguments.ts'
import { SystemError } from '../../system/errors.ts'
import { awaitedHint, offerPrivateCalls } from '../../system/private-calls.ts'
import type { Abortable, ReadinessListener, ReadinessWatch, System } from '../../system/system.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import { calls } from '../calls/table.ts'
import type { OpenFile } from '../files/open-file.ts'
import { checkHostActs } from '../kernel/host-acts.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { whyNotAttached } from '../processes/trace-refusal.ts'
import { BlockingCalls } from './blocking-calls.ts'
import { AwaitedReadiness, AwaitedTime, ChildNews, WatchedReadiness } from './host-awaits.ts'
import { HostPrivateCalls } from './private-calls.ts'
import { SynchronousCalls } from './synchronous-calls.ts'

/** Not an object literal with accessors: V8 keeps what those close over until a full collection. */
class HostWatch implements ReadinessWatch {
  readonly #watched: WatchedReadiness
  readonly #among: Set<AwaitedReadiness>

  constructor(watched: WatchedReadiness, among: Set<AwaitedReadiness>) {
    this.#watched = watched
    this.#among = among
  }

  get keepsAlive(): boolean {
    return this.#watched.keepsAlive
  }

  set keepsAlive(keepsAlive: boolean) {
    this.#watched.keepsAlive = keepsAlive
    this.#watched.kernel.loop.updateKeepAlive()
  }

  stop(): void {
    if (this.#among.delete(this.#watched)) this.#watched.stop()
  }
}

/** The host's System. */
export class HostSystem extends SynchronousCalls implements System {
  readonly kind = 'simulated'
  readonly #kernel: Kernel
  readonly #readiness: Set<AwaitedReadiness> = new Set()
  readonly #childNews: ChildNews
  readonly #private: HostPrivateCalls

  /** @param deadlockError Makes the error thrown from a call that can never return. */
  constructor(kernel: Kernel, deadlockError: (kernel: Kernel) => Error) {
    const blocking = new BlockingCalls(kernel, deadlockError)
    super(blocking)
    this.#kernel = kernel
    this.#childNews = new ChildNews(kernel)
    const { host } = kernel
    this.#private = new HostPrivateCalls(blocking, (pid, options) => super.ptraceSeize(pid, options))
    offerPrivateCalls(this, this.#private)
    // Named first: V8 allocates a function literal that is assigned to a property in the old generation, where it would
    // keep its world. See youngArray.
    const onRemove = (fd: number) => {
      if (host.exiting) return
      for (const awaited of [...this.#readiness]) {
        if (awaited.fd !== fd) continue
        this.#readiness.delete(awaited)
        awaited.closed()
      }
    }
    const onSignal = (signal: number) => {
      if (signal !== SIGCHLD) return false
      this.#childNews.notify()
      return true
    }
    host.process.descriptors.onRemove = onRemove
    host.process.onSignal = onSignal
  }

  now(): number {
    checkHostActs(this.#kernel, "the host's call now()", 'process.now()')
    return this.#kernel.timeFor(this.#kernel.host)
  }

  ready(fd: number, events: number, options: Abortable = {}): Promise<number> {
    checkHostActs(this.#kernel, "the host's call ready()", 'yield* process.poll(…)')
    return this.#ready(fd, events, options)
  }

  async #ready(fd: number, events: number, options: Abortable): Promise<number> {
    const { events: mask, signal } = readyArguments(fd, events, options)
    signal?.throwIfAborted()
    const awaited = new AwaitedReadiness(this.#kernel, fd, this.#fileOf(fd), mask, signal)
    this.#readiness.add(awaited)
    return awaited.promise.finally(() => this.#readiness.delete(awaited))
  }

  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch {
    checkHostActs(this.#kernel, "the host's call watch()", 'yield* process.poll(…)')
    const { events: mask, listener: checked } = watchArguments(fd, events, listener)
    const file = this.#fileOf(fd)
    // As from an epoll.
    if (!file.pollable) throw new SystemError({ errno: 'EPERM', syscall: 'ready' })
    const watched = new WatchedReadiness(this.#kernel, fd, file, mask, checked)
    this.#readiness.add(watched)
    return new HostWatch(watched, this.#readiness)
  }

  #fileOf(fd: number): OpenFile {
    const file = this.#kernel.host.process.descriptors.get(fd)
    if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'ready' })
    return file
  }

  sleep(ms: number, options: Abortable = {}): Promise<void> {
    checkHostActs(this.#kernel, "the host's call sleep()", 'yield* process.sleep(…)')
    return this.#sleep(ms, options)
  }

  async #sleep(ms: number, options: Abortable): Promise<void> {
    const { ms: duration, signal } = sleepArguments(ms, options)
    signal?.throwIfAborted()
    await new AwaitedTime(this.#kernel, this.#kernel.clock.now() + duration, signal).promise
  }

  onChildChange(listener: () => void, options: { readonly keepAlive?: boolean } = {}): () => void {
    checkHostActs(this.#kernel, "the host's call onChildChange()", 'yield* process.waitpid(…)')
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
   * Refuses a child that launch() waits for, since launch() would take its stops. The arguments were checked before.
   */
  #attach(pid: number, attach: () => void): void {
    const { attached } = this.#private
    if (this.#private.isAwaited(pid)) {
      const hint = whyNotAttached(this.#kernel.host, pid) ?? awaitedHint
      throw new SystemError({ errno: 'EPERM', syscall: 'ptrace', pid, hint })
    }
    attach()
    attached.add(pid)
  }
}
