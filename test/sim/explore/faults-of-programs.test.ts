/** Faults in the calls that programs make. */

import { describe, expect, it } from 'vitest'
import { type Calling, explore, type HandlerOptions, type SimulatedProcess } from '../../../lib/sim/index.ts'
import type { SystemError } from '../../../lib/system/errors.ts'
import { constants } from '../system.ts'
import { exec } from '../world.ts'

/** The errors that calls of a program fail with, in all runs. */
async function failuresOf(calls: (process: SimulatedProcess) => Calling<unknown>): Promise<string[]> {
  const notes = new Set<string>()
  const { complete, failure } = await explore(
    ({ kernel, system }) => {
      kernel.install('/calls', function* (process) {
        try {
          yield* calls(process)
        } catch (error) {
          const { code, syscall } = error as SystemError
          notes.add(`${syscall} ${code}`)
        }
      })
      let pid: number
      try {
        pid = system.fork({ actions: [exec('/calls')] })
      } catch {
        // The fault is the fork's.
        return
      }
      system.waitpid(pid)
    },
    { faults: 1, preemptions: 0 },
  )
  expect(failure?.error).toBeUndefined()
  expect(complete).toBe(true)
  return [...notes].sort()
}

describe('with a fault allowed, in a program', () => {
  it('vfork, clone and execve fail for lack of memory, and execve never with EAGAIN: no uid has changed', async () => {
    const births = await failuresOf(function* (process) {
      yield* process.vfork(self => self.exit(0))
      yield* process.waitpid(-1)
      const thread = yield* process.thread(self => self.schedYield())
      yield* thread.join()
    })
    expect(births).toEqual(['clone EAGAIN', 'clone ENOMEM', 'vfork EAGAIN', 'vfork ENOMEM'])
    expect(await failuresOf(process => process.execve('/bin/true'))).toEqual(['execve ENOMEM'])
  })

  it('an epoll_ctl fails with ENOMEM where it allocates something', async () => {
    const { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, EPOLLIN, EPOLLWAKEUP } = constants
    const of = (op: number, events: number) =>
      failuresOf(function* (process) {
        const epoll = yield* process.epollCreate1()
        const [read, write] = yield* process.pipe2()
        try {
          yield* process.epollCtl(epoll, EPOLL_CTL_ADD, read, { events: EPOLLIN, data: 0 })
        } catch {
          return
        }
        yield* process.epollCtl(epoll, op, op === EPOLL_CTL_ADD ? write : read, { events, data: 0 })
      })
    const others = ['epoll_create1 EMFILE', 'epoll_create1 ENOMEM', 'pipe2 EMFILE']
    expect(await of(EPOLL_CTL_DEL, 0)).toEqual(others)
    expect(await of(EPOLL_CTL_MOD, EPOLLIN)).toEqual(others)
    expect(await of(EPOLL_CTL_MOD, EPOLLIN | EPOLLWAKEUP)).toContain('epoll_ctl ENOMEM')
    expect(await of(EPOLL_CTL_ADD, EPOLLIN)).toContain('epoll_ctl ENOMEM')
  })

  it('a wait for a child is interrupted by a handler without SA_RESTART, by either call', async () => {
    const waits = (wait: (process: SimulatedProcess) => Calling<unknown>, options: HandlerOptions) =>
      failuresOf(function* (process) {
        yield* process.sigaction('SIGUSR1', function* () {}, options)
        try {
          yield* process.fork(self => self.exit(0))
        } catch {
          return
        }
        yield* wait(process)
      })
    const { P_ALL, WEXITED } = constants
    for (const wait of [
      (process: SimulatedProcess) => process.waitpid(-1),
      (process: SimulatedProcess) => process.waitid(P_ALL, 0, WEXITED),
    ]) {
      expect(await waits(wait, {})).toEqual([expect.stringMatching(/^wait(pid|id) EINTR$/)])
      expect(await waits(wait, { restart: true })).toEqual([])
    }
  })
})
