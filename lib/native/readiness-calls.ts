/** poll and epoll, over the addon, and a sleep on the event loop. */

import type { Calls, ReadinessCallName, SystemResults } from '../system/calls.ts'
import type { Addon } from './addon.ts'
import { check } from './check-result.ts'

// Saved at load, so that a test that replaces the global timers does not stop the deadlines of launches.
const { setTimeout, clearTimeout } = globalThis
const { hrtime } = process

/** The monotonic clock, in milliseconds. Not the global `performance`: the first use of that loads node:perf_hooks. */
export function now(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** The most events of one epollWait. epoll_wait may return fewer than requested. */
const mostEvents = 4096

export function readinessCalls(addon: Addon): Calls<SystemResults, ReadinessCallName> {
  return {
    poll(requests, timeoutMs) {
      const count = requests.length
      const pairs = new Int32Array(count * 2)
      for (let i = 0; i < count; i++) {
        const { fd, events } = requests[i]!
        pairs[2 * i] = fd
        pairs[2 * i + 1] = events
      }
      check('poll', addon.poll(pairs, timeoutMs))
      const revents: number[] = []
      for (let i = 0; i < count; i++) revents.push(pairs[2 * i + 1]!)
      return revents
    },

    epollCreate1: flags => check('epoll_create1', addon.epollCreate1(flags)),

    epollCtl(epfd, op, fd, event) {
      const { events, data } = event ?? { events: 0, data: 0 }
      check('epoll_ctl', addon.epollCtl(epfd, op, fd, event !== undefined, events, data))
    },

    epollWait(epfd, maxEvents, timeoutMs) {
      const out = new Float64Array(2 * Math.max(1, Math.min(maxEvents, mostEvents)))
      const count = check('epoll_wait', addon.epollWait(epfd, maxEvents, timeoutMs, out))
      return Array.from({ length: count }, (_, i) => ({ events: out[2 * i]!, data: out[2 * i + 1]! }))
    },
  }
}

/** Resolves after that time of {@link now}; rejects with the signal's reason when aborted. */
export async function sleepOnLoop(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const end = now() + ms
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    // Timers count whole milliseconds of the loop's clock, and may fire up to one early.
    const turn = () => {
      const left = end - now()
      if (left > 0) {
        timer = setTimeout(turn, Math.ceil(left))
        return
      }
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    let timer = setTimeout(turn, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
