/** What a host can await: readiness, time, and changes of its children. */

import { callListener } from '../../system/call-listener.ts'
import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import type { ReadinessListener } from '../../system/system.ts'
import type { Timer } from '../base/clock.ts'
import { youngArray } from '../base/young-array.ts'
import type { OpenFile, PollTable } from '../files/open-file.ts'
import type { WaitReason } from '../files/wait.ts'
import type { Waiter, WaitQueue } from '../files/wait-queue.ts'
import type { Awaited } from '../kernel/awaited.ts'
import type { Kernel } from '../kernel/kernel.ts'

const { POLLERR, POLLHUP } = constants

/** A promise that the event loop settles, or that an abort signal rejects. */
abstract class AwaitedPromise<T> implements Awaited {
  readonly kernel: Kernel
  readonly id: number
  keepsAlive = true
  readonly promise: Promise<T>
  abstract readonly label: string
  abstract readonly isReady: boolean
  abstract readonly reason: WaitReason
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = () => this.reject(this.#signal?.reason)
  #resolve!: (value: T) => void
  #reject!: (reason: unknown) => void

  constructor(kernel: Kernel, signal: AbortSignal | undefined) {
    this.kernel = kernel
    this.id = kernel.newActorId()
    this.#signal = signal
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  abstract settle(): void

  protected resolve(value: T): void {
    this.end()
    this.#resolve(value)
  }

  reject(reason: unknown): void {
    this.kernel.trace.rejecting?.(this, reason)
    this.end()
    this.#reject(reason)
  }

  protected end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.kernel.loop.remove(this)
    this.release()
  }

  /** Leaves wait queues, cancels timers. */
  protected abstract release(): void
}

/** Readiness of a descriptor. */
export class AwaitedReadiness extends AwaitedPromise<number> implements Waiter, PollTable {
  readonly fd: number
  readonly #file: OpenFile
  readonly #events: number
  readonly #queues = youngArray<WaitQueue>()

  constructor(kernel: Kernel, fd: number, file: OpenFile, events: number, signal: AbortSignal | undefined) {
    super(kernel, signal)
    this.fd = fd
    this.#file = file
    this.#events = events | POLLERR | POLLHUP
    kernel.trace.used?.(file)
    file.poll(this)
    kernel.loop.add(this)
  }

  get label(): string {
    return `ready(${this.fd})`
  }

  get reason(): WaitReason {
    return { on: 'poll', files: [this.#file], deadline: undefined }
  }

  /** A file that an epoll refuses cannot be waited for: it is what it is. */
  get isReady(): boolean {
    return this.#now !== 0 || !this.#file.pollable
  }

  get #now(): number {
    return this.#file.poll(null) & this.#events
  }

  watch(queue: WaitQueue): void {
    queue.watch(this)
    this.#queues.push(queue)
  }

  wake(): boolean {
    this.kernel.stir()
    return true
  }

  settle(): void {
    this.resolve(this.see())
  }

  /** The events ready now; traces that the host has seen them. */
  protected see(): number {
    const { trace } = this.kernel
    trace.used?.(this.#file)
    const events = this.#now
    trace.readinessSeen?.(this.#file, events)
    return events
  }

  /** Called when the descriptor no longer refers to this file. */
  closed(): void {
    this.reject(new SystemError({ errno: 'EBADF', syscall: 'ready' }))
  }

  protected release(): void {
    for (const queue of this.#queues) queue.remove(this)
  }
}

/** Readiness of a descriptor, reported to a listener repeatedly until the watch is stopped. */
export class WatchedReadiness extends AwaitedReadiness {
  readonly #listener: ReadinessListener

  constructor(kernel: Kernel, fd: number, file: OpenFile, events: number, listener: ReadinessListener) {
    super(kernel, fd, file, events, undefined)
    this.#listener = listener
  }

  override settle(): void {
    const events = this.see()
    callListener(() => this.#listener.ready(events))
  }

  override closed(): void {
    this.stop()
    callListener(() => this.#listener.failed(new SystemError({ errno: 'EBADF', syscall: 'ready' })))
  }

  stop(): void {
    this.end()
  }
}

/** A time in the future. */
export class AwaitedTime extends AwaitedPromise<void> {
  readonly label: string
  readonly reason: WaitReason
  isReady = false
  readonly #timer: Timer

  constructor(kernel: Kernel, at: number, signal: AbortSignal | undefined) {
    super(kernel, signal)
    this.label = `sleep until ${Math.round(at * 1000) / 1000} ms`
    this.reason = { on: 'sleep', deadline: at }
    this.#timer = kernel.clock.at(at, () => {
      this.isReady = true
      kernel.stir()
    })
    kernel.loop.add(this)
  }

  settle(): void {
    this.resolve()
  }

  protected release(): void {
    this.kernel.clock.cancel(this.#timer)
  }
}

interface Subscription {
  readonly listener: () => void
  readonly keepsAlive: boolean
}

/** The host's news: SIGCHLD for its listeners. Signals may share one notification, which calls every listener. */
export class ChildNews implements Awaited {
  readonly id: number
  readonly label = 'SIGCHLD'
  readonly reason = { on: 'child', pid: -1 } as const
  isReady = false
  readonly #kernel: Kernel
  readonly #subscriptions = new Set<Subscription>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.id = kernel.newActorId()
  }

  get keepsAlive(): boolean {
    for (const { keepsAlive } of this.#subscriptions) if (keepsAlive) return true
    return false
  }

  /** Calls the listener for each notification until the returned function is called. */
  subscribe(listener: () => void, keepsAlive: boolean): () => void {
    const subscription = { listener, keepsAlive }
    this.#subscriptions.add(subscription)
    this.#kernel.loop.add(this)
    return () => {
      this.#subscriptions.delete(subscription)
      if (this.#subscriptions.size === 0) {
        this.isReady = false
        this.#kernel.loop.remove(this)
      } else {
        this.#kernel.loop.add(this)
      }
    }
  }

  /** The host got SIGCHLD. */
  notify(): void {
    if (this.#subscriptions.size === 0) return
    this.isReady = true
    this.#kernel.trace.newsArrived?.(this)
    this.#kernel.stir()
  }

  settle(): void {
    this.isReady = false
    this.#kernel.trace.newsHeard?.(this)
    for (const { listener } of [...this.#subscriptions]) callListener(listener)
  }
}
