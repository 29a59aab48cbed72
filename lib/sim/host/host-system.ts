/** System as the calling JavaScript has it: the process it is in a simulated world. */

import { checkAbortSignal, checkInt, checkMask, checkObject, invalidType, outOfRange } from '../../system/arguments.ts'
import { SystemError } from '../../system/errors.ts'
import type { Abortable, System } from '../../system/system.ts'

import { type CallName, calls, failure, type SystemCall } from '../calls/table.ts'
import type { Kernel } from '../kernel.ts'
import { SIGCHLD } from '../processes/signals.ts'
import { isFailure } from '../results.ts'
import { AwaitedReadiness, AwaitedTime, ChildSubscription } from './awaited.ts'

type Awaiting = Pick<System, 'kind' | 'ready' | 'now' | 'sleep' | 'onChildChange'>
const noArguments: readonly unknown[] = []
type Synchronous = Pick<System, CallName>

/** The host's System: its synchronous calls block by letting the others step. */
export function hostSystem(kernel: Kernel): System {
  return { ...synchronousCalls(kernel), ...awaitedCalls(kernel) }
}

function synchronousCalls(kernel: Kernel): Synchronous {
  const entries = Object.entries(calls).map(([name, call]) => [name, hostCall(kernel, call as SystemCall<unknown[]>)])
  return Object.fromEntries(entries) as Synchronous
}

function hostCall(kernel: Kernel, call: SystemCall<unknown[]>): (...args: unknown[]) => unknown {
  const { prepare, finish } = call
  // Four named parameters and no list of arguments: this is the path of every notification.
  return (a, b, c, d) => {
    const isWatched = kernel.observer !== null || kernel.faults !== null
    const result = kernel.hostCall(call, prepare(a, b, c, d), isWatched ? [a, b, c, d] : noArguments)
    if (isFailure(result)) throw failure(call, result, [a, b, c, d])
    return finish(result)
  }
}

function awaitedCalls(kernel: Kernel): Awaiting {
  const readiness = new Set<AwaitedReadiness>()
  const subscriptions = new Set<ChildSubscription>()
  const { process } = kernel.host

  process.descriptors.onRemove = fd => {
    if (kernel.host.exiting) return
    for (const awaited of [...readiness]) if (awaited.fd === fd) awaited.closed()
  }
  process.onSignal = signal => {
    if (signal !== SIGCHLD) return false
    for (const subscription of subscriptions) subscription.notify()
    return true
  }

  return {
    kind: 'simulated',
    now: () => kernel.clock.now(),

    async ready(fd, events, options: Abortable = {}) {
      checkInt(fd, 'fd')
      const mask = checkMask(events, 'events')
      const signal = checkAbortSignal(checkObject(options, 'options').signal)
      signal?.throwIfAborted()
      const file = process.descriptors.get(fd)
      if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'epoll_ctl' })
      const awaited = new AwaitedReadiness(kernel, fd, file, mask, signal)
      readiness.add(awaited)
      return awaited.promise.finally(() => readiness.delete(awaited))
    },

    async sleep(ms, options: Abortable = {}) {
      if (typeof ms !== 'number') throw invalidType('ms', 'of type number', ms)
      if (!(ms <= 0x7fffffff)) throw outOfRange('ms', 'at most 2147483647', ms)
      const signal = checkAbortSignal(checkObject(options, 'options').signal)
      signal?.throwIfAborted()
      await new AwaitedTime(kernel, kernel.clock.now() + Math.max(0, ms), signal).promise
    },

    onChildChange(listener, options: { readonly keepAlive?: boolean } = {}) {
      if (typeof listener !== 'function') throw invalidType('listener', 'of type function', listener)
      const subscription = new ChildSubscription(kernel, listener, options.keepAlive !== false)
      subscriptions.add(subscription)
      return () => {
        subscriptions.delete(subscription)
        subscription.end()
      }
    },
  }
}
