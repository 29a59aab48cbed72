/** System as the calling JavaScript has it: the process it is in a simulated world. */

import { childChangeArguments, readyArguments, sleepArguments, watchArguments } from '../../system/awaited-arguments.ts'
import type { CallName } from '../../system/checked-calls.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import { awaitedHint, offerPrivateCalls, type PrivateCalls } from '../../system/private-calls.ts'
import type { Abortable, ReadinessListener, ReadinessWatch, System } from '../../system/system.ts'
import { ENOSYS, isFailure } from '../base/results.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import { simulatedHint } from '../base/simulated-hint.ts'
import { calls, failure, type SystemCall } from '../calls/table.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { whyNotAttached } from '../processes/tracing.ts'
import { AwaitedReadiness, AwaitedTime, ChildNews, WatchedReadiness } from './host-awaits.ts'

type Synchronous = Pick<System, CallName>

const noArguments: readonly unknown[] = []

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

  /** No move of the host's: asked after the child's end of file, when the answer changes no more. */
  hasExeced(pid: number): boolean {
    return this.#kernel.processes.get(pid)?.hasExeced ?? false
  }

  whyNotFound(): string {
    return simulatedHint
  }

  /** No move of the host's either: asked right after a wait, which has seen the same state. */
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

/** The calls that are awaited; the synchronous ones are put beside them below. */
class AwaitedCalls implements Omit<System, CallName> {
  readonly kind = 'simulated'
  private readonly kernel: Kernel
  private readonly readiness: Set<AwaitedReadiness> = new Set()
  private readonly childNews: ChildNews
  private readonly awaitedChildren: Set<number> = new Set()

  constructor(kernel: Kernel) {
    this.kernel = kernel
    this.childNews = new ChildNews(kernel)
    const { host } = kernel
    const seize = (pid: number, options: number) => AwaitedCalls.seize.call(this, pid, options, undefined, undefined)
    offerPrivateCalls(this as unknown as System, new HostPrivateCalls(kernel, this.awaitedChildren, seize))
    host.process.descriptors.onRemove = fd => {
      if (host.exiting) return
      for (const awaited of [...this.readiness]) {
        if (awaited.fd !== fd) continue
        this.readiness.delete(awaited)
        awaited.closed()
      }
    }
    host.process.onSignal = signal => {
      if (signal !== SIGCHLD) return false
      this.childNews.notify()
      return true
    }
  }

  now(): number {
    return this.kernel.timeFor(this.kernel.host)
  }

  async ready(fd: number, events: number, options: Abortable = {}): Promise<number> {
    const { events: mask, signal } = readyArguments(fd, events, options)
    signal?.throwIfAborted()
    const file = this.kernel.host.process.descriptors.get(fd)
    if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'epoll_ctl' })
    const awaited = new AwaitedReadiness(this.kernel, fd, file, mask, signal)
    this.readiness.add(awaited)
    return awaited.promise.finally(() => this.readiness.delete(awaited))
  }

  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch {
    const { events: mask, listener: checked } = watchArguments(fd, events, listener)
    const file = this.kernel.host.process.descriptors.get(fd)
    if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'epoll_ctl' })
    const watched = new WatchedReadiness(this.kernel, fd, file, mask, checked)
    this.readiness.add(watched)
    return {
      get keepsAlive() {
        return watched.keepsAlive
      },
      set keepsAlive(keepsAlive) {
        watched.keepsAlive = keepsAlive
        watched.kernel.loop.updateKeepAlive()
      },
      stop: () => {
        if (this.readiness.delete(watched)) watched.stop()
      },
    }
  }

  async sleep(ms: number, options: Abortable = {}): Promise<void> {
    const { ms: duration, signal } = sleepArguments(ms, options)
    signal?.throwIfAborted()
    await new AwaitedTime(this.kernel, this.kernel.clock.now() + duration, signal).promise
  }

  onChildChange(listener: () => void, options: { readonly keepAlive?: boolean } = {}): () => void {
    const { keepAlive } = childChangeArguments(listener, options)
    return this.childNews.subscribe(listener, keepAlive)
  }

  /** Makes a call of the table a method: one for all worlds, since worlds are made by the thousand. */
  static define(name: string, call: SystemCall<unknown[]>): void {
    const make = AwaitedCalls.maker(call)
    const attach = function (this: AwaitedCalls, pid: unknown, options: unknown) {
      // Refuses bad arguments before it says anything of the process.
      call.prepare(pid, options)
      // What launch() waits for it would take the stops of.
      if (this.awaitedChildren.has(pid as number)) {
        throw new SystemError({ errno: 'EPERM', syscall: 'ptrace', pid: pid as number, hint: awaitedHint })
      }
      try {
        return make.call(this, pid, options, undefined, undefined)
      } catch (error) {
        if (!isErrno(error, 'EPERM')) throw error
        const hint = whyNotAttached(this.kernel.host, pid as number)
        throw new SystemError({ errno: error.errno, syscall: error.syscall, pid: pid as number, hint })
      }
    }
    const value = name === 'ptraceSeize' || name === 'ptraceAttach' ? attach : make
    Object.defineProperty(AwaitedCalls.prototype, name, { configurable: true, writable: true, value })
  }

  // Four named parameters and no list of arguments: this is the path of every notification.
  private static maker(call: SystemCall<unknown[]>) {
    const { prepare, finish } = call
    return function (this: AwaitedCalls, a: unknown, b: unknown, c: unknown, d: unknown) {
      const { kernel } = this
      const args = kernel.watchesCalls ? [a, b, c, d] : noArguments
      const result = kernel.hostCall(call, prepare(a, b, c, d), args)
      if (isFailure(result)) throw failure(call, result, [a, b, c, d])
      return finish(result)
    }
  }

  private static readonly seize = AwaitedCalls.maker(calls.ptraceSeize as SystemCall<unknown[]>)
}

for (const [name, call] of Object.entries(calls)) AwaitedCalls.define(name, call as SystemCall<unknown[]>)

/** The host's System: its synchronous calls block by letting the others step. */
export const HostSystem = AwaitedCalls as unknown as new (kernel: Kernel) => AwaitedCalls & Synchronous
