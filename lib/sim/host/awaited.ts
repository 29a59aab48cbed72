/** The things a host can await: readiness, time, and changes of its children. */

import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import type { Timer } from '../clock.ts'
import type { OpenFile, PollTable } from '../files/open-file.ts'
import type { Kernel } from '../kernel.ts'
import type { WaitReason } from '../wait.ts'
import type { Waiter, WaitQueue } from '../wait-queue.ts'
import type { Awaited } from './event-loop.ts'

const { POLLERR, POLLHUP } = constants

/** A promise with its ends in hand, which an abort rejects. */
abstract class AwaitedPromise<T> implements Awaited {
  readonly kernel: Kernel
  readonly id: number
  readonly keepsAlive = true
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
    this.#end()
    this.#resolve(value)
  }

  reject(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.kernel.loop.remove(this)
    this.release()
  }

  /** Leaves queues and timers. */
  protected abstract release(): void
}

/** Readiness of a descriptor. */
export class AwaitedReadiness extends AwaitedPromise<number> implements Waiter, PollTable {
  readonly fd: number
  readonly #file: OpenFile
  readonly #events: number
  readonly #queues: WaitQueue[] = []

  constructor(kernel: Kernel, fd: number, file: OpenFile, events: number, signal: AbortSignal | undefined) {
    super(kernel, signal)
    this.fd = fd
    this.#file = file
    this.#events = events | POLLERR | POLLHUP
    kernel.touchFile(file)
    file.poll(this)
    kernel.loop.add(this)
  }

  get label(): string {
    return `ready(${this.fd})`
  }

  get reason(): WaitReason {
    return { on: 'poll', files: [this.#file], deadline: undefined }
  }

  get isReady(): boolean {
    return this.#now !== 0
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
    this.kernel.touchFile(this.#file)
    const events = this.#now
    this.kernel.order?.sawReadiness(this.#file, events)
    this.resolve(events)
  }

  /** The descriptor no longer means this file. */
  closed(): void {
    this.reject(new SystemError({ errno: 'EBADF', syscall: 'epoll_ctl' }))
  }

  protected release(): void {
    for (const queue of this.#queues) queue.remove(this)
  }
}

/** A time to come. */
export class AwaitedTime extends AwaitedPromise<void> {
  readonly label = 'sleep'
  readonly reason: WaitReason
  isReady = false
  readonly #timer: Timer

  constructor(kernel: Kernel, at: number, signal: AbortSignal | undefined) {
    super(kernel, signal)
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

/** A subscription to changes of children: one call for all that happened since the last. */
export class ChildSubscription implements Awaited {
  readonly id: number
  readonly label = 'SIGCHLD'
  readonly reason = { on: 'child', pid: -1 } as const
  readonly keepsAlive: boolean
  isReady = false
  readonly #kernel: Kernel
  readonly #listener: () => void

  constructor(kernel: Kernel, listener: () => void, keepsAlive: boolean) {
    this.#kernel = kernel
    this.id = kernel.newActorId()
    this.#listener = listener
    this.keepsAlive = keepsAlive
    kernel.loop.add(this)
  }

  /** SIGCHLD came. */
  notify(): void {
    this.isReady = true
    this.#kernel.order?.notified(this)
    this.#kernel.stir()
  }

  settle(): void {
    this.#kernel.touchAllNews()
    this.isReady = false
    this.#kernel.order?.heard(this)
    this.#listener()
  }

  end(): void {
    this.#kernel.loop.remove(this)
  }
}
