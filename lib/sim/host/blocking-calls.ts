/** Synchronous calls of the host: other tasks step before a call begins, and while it is blocked. */

import { blocked, isRestart } from '../base/results.ts'
import { checkHostActs } from '../kernel/host-acts.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { tryAgain } from '../kernel/retry.ts'
import { deliverToHost } from '../kernel/step.ts'
import type { Action, CallRow } from '../processes/task.ts'
import { HostKilledError, WorldOverError } from './call-errors.ts'

/** Makes the host's system calls. */
export class BlockingCalls {
  readonly kernel: Kernel
  /** The error thrown from a call that can never return. */
  readonly #deadlockError: (kernel: Kernel) => Error

  constructor(kernel: Kernel, deadlockError: (kernel: Kernel) => Error) {
    this.kernel = kernel
    this.#deadlockError = deadlockError
  }

  /** Carries out a call; its result or negative errno. */
  make(call: CallRow, act: Action, args: readonly unknown[]): unknown {
    const { kernel } = this
    const { host, run } = kernel
    if (kernel.acting !== host) checkHostActs(kernel, `the host's call ${call.method ?? call.name}()`)
    if (run !== null) {
      if (run.isOver) throw new WorldOverError(run.runner)
      run.hostCalls++
    }
    if (kernel.runnable.length > 0 || kernel.clock.next() !== undefined || kernel.faults !== null) this.#letOthersStep()
    if (host.exiting) throw new HostKilledError(host.exitStatus & 0x7f)
    kernel.trace.moves?.(host, host)
    const result = kernel.perform(host, call, act, args)
    kernel.finishFiles()
    return result === blocked || host.signalPending
      ? this.#finish(() => kernel.perform(host, call, act, args), result)
      : result
  }

  #letOthersStep(): void {
    const { kernel } = this
    const { host, runnable } = kernel
    kernel.clock.fireDue()
    while (runnable.length > 0 || kernel.faults?.isPossible) {
      const chosen = kernel.chooseActor([host, ...runnable])
      if (chosen === host) return
      kernel.move(chosen)
    }
  }

  /** Finishes a call that has blocked, or that a signal may have interrupted; `again` restarts it. */
  #finish(again: () => unknown, first: unknown): unknown {
    const { kernel } = this
    const { host } = kernel
    let result = first
    for (;;) {
      while (result === blocked) {
        this.#runUntilHostCan()
        result = tryAgain(host)
        kernel.finishFiles()
      }
      for (const work = deliverToHost(host); !work.next().done; ) {
        if (host.exiting) continue
        this.#runUntilHostCan()
      }
      if (host.state === 'zombie' || host.state === 'dead') throw new HostKilledError(host.exitStatus & 0x7f)
      if (!isRestart(result)) return result
      result = again()
      kernel.finishFiles()
    }
  }

  /** Lets other tasks step until the host is woken and chosen; throws if neither tasks nor timers can bring that. */
  #runUntilHostCan(): void {
    const { kernel } = this
    const { host, runnable } = kernel
    for (;;) {
      kernel.clock.fireDue()
      if (runnable.length === 0) {
        if (!kernel.letTimePass()) throw this.#deadlock()
        continue
      }
      const chosen = kernel.chooseActor(runnable)
      if (chosen === host) {
        kernel.beginMove(host)
        return
      }
      kernel.move(chosen)
    }
  }

  /** Ends the host's blocked call, so that the caller can go on after the error. */
  #deadlock(): Error {
    const error = this.#deadlockError(this.kernel)
    // Every move counts: any other might have prevented the deadlock.
    this.kernel.trace.worldUsed?.()
    const { host } = this.kernel
    host.wait?.leave()
    host.unblock()
    host.state = 'running'
    return error
  }
}
