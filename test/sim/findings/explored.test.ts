import { describe, expect, it } from 'vitest'
import {
  type DataRaceError,
  type ExploreOptions,
  explore,
  type LeakError,
  replay,
  type Scenario,
  type SimulatedDeadlockError,
} from '../../../lib/sim/index.ts'
import { bytes, constants, exec, program } from '../world.ts'

const { POLLIN, WNOHANG, O_CLOEXEC, EPOLLIN, EPOLL_CTL_ADD } = constants

/** The failure that explore() finds, checked by a replay; undefined if no schedule fails. */
async function finding(scenario: Scenario, options?: ExploreOptions) {
  const { failure, complete } = await explore(scenario, options)
  if (failure === undefined) {
    expect(complete).toBe(true)
    return undefined
  }
  const again = await replay(scenario, failure.schedule)
  expect(again.failure).toMatchObject({ kind: failure.kind, error: { message: failure.error.message } })
  return failure
}

describe('under every schedule', () => {
  it('a handshake orders the accesses it synchronises; without it there is a race', async () => {
    const scenario =
      (waits: boolean): Scenario =>
      ({ kernel, system }) => {
        const prepared = kernel.cell(false, 'prepared')
        const [r, w] = system.pipe2(O_CLOEXEC)
        kernel.install('/child', function* (self) {
          yield* self.store(prepared, true)
          yield* self.write(1, bytes(1))
        })
        const child = system.fork(program({ op: 'dup2', fd: w, target: 1 }, exec('/child')))
        system.close(w)
        if (waits) system.read(r, bytes(1))
        const seen = prepared.value
        if (waits && !seen) throw new Error('the byte came before the store')
        system.close(r)
        system.waitpid(child)
      }
    expect(await finding(scenario(true), { strategy: 'exhaustive' })).toBeUndefined()
    for (const strategy of ['bounded', 'exhaustive', 'random', 'pct'] as const) {
      const failure = await finding(scenario(false), { strategy })
      expect(failure).toMatchObject({ kind: 'race', error: { cell: { name: 'prepared' } } })
      const { accesses } = failure!.error as DataRaceError
      expect(accesses.map(({ name, call }) => `${name} ${call}`).sort()).toEqual([
        '100 (host) load',
        '101 (/child) store',
      ])
    }
  })

  it('an epoll_wait that returned another’s event hides no race behind it', async () => {
    const scenario =
      (most: number): Scenario =>
      ({ kernel, system }) => {
        const cell = kernel.cell(0)
        const pipes = [system.pipe2(O_CLOEXEC), system.pipe2(O_CLOEXEC)] as const
        const epfd = system.epollCreate1(constants.EPOLL_CLOEXEC)
        for (const [r] of pipes) system.epollCtl(epfd, EPOLL_CTL_ADD, r, { events: EPOLLIN, data: r })
        kernel.install('/stores', function* (self) {
          yield* self.store(cell, 1)
          yield* self.write(1, bytes(1))
        })
        const child = system.fork(program({ op: 'dup2', fd: pipes[1][1], target: 1 }, exec('/stores')))
        system.write(pipes[0][1], bytes(1))
        const told = system.epollWait(epfd, most, -1)
        // It accesses the cell only after epoll_wait reported the child's pipe.
        if (most === 1 || told.some(({ data }) => data === pipes[1][0])) cell.value
        system.waitpid(child)
        for (const fd of [...pipes.flat(), epfd]) system.close(fd)
      }
    expect(await finding(scenario(2), { strategy: 'exhaustive' })).toBeUndefined()
    expect(await finding(scenario(1))).toMatchObject({ kind: 'race' })
  })

  it('a write end kept open is a deadlock, whose graph names its holders and its last close', async () => {
    const failure = await finding(async ({ system }) => {
      const [r] = system.pipe2()
      const child = system.fork(program(exec('/bin/true')))
      await system.ready(r, POLLIN)
      system.waitpid(child)
    })
    expect(failure).toMatchObject({
      kind: 'deadlock',
      error: { code: 'ERR_DEADLOCK', graph: { cycle: [100], waits: [{ pid: 100, on: 'poll', awaited: true }] } },
    })
    const { graph, message } = failure!.error as SimulatedDeadlockError
    expect(graph.causes).toMatchObject([{ kind: 'exit', pid: 101, fd: 4 }])
    expect(message).toMatch(
      /closed last by 101 \(\/bin\/true\) as fd 4, at its exit; 100 \(host\) still holds it as fd 4/,
    )
  })

  it('a promise that nothing in the simulation settles is a deadlock that says so', async () => {
    const failure = await finding(() => new Promise(() => {}))
    expect(failure).toMatchObject({ kind: 'deadlock', error: { graph: { waits: [], cycle: [], causes: [] } } })
    expect(failure!.error.message).toContain('100 (host) awaits nothing that could happen in the simulated system')
  })

  it('a kill by the explorer has no sender, neither in a deadlock nor for the order of accesses', async () => {
    const deadlock = await finding(
      ({ system }) => {
        const [r, w] = system.pipe2()
        const child = system.fork(program({ op: 'write', fd: w, data: bytes(1) }, exec('/bin/true')))
        system.read(r, bytes(1))
        system.waitpid(child)
        for (const fd of [r, w]) system.close(fd)
      },
      { faults: 1 },
    )
    expect(deadlock).toMatchObject({ kind: 'deadlock' })
    expect((deadlock!.error as SimulatedDeadlockError).graph.causes).toMatchObject([{ kind: 'kill', by: undefined }])
    expect(deadlock!.error.message).toMatch(/when SIGKILL ended it; 100 \(host\) still holds it as fd 4/)
  })

  it('a zombie left under some schedules only is a leak of those schedules', async () => {
    const failure = await finding(({ system }) => {
      const child = system.fork(program(exec('/bin/true')))
      // A wait with WNOHANG.
      system.waitpid(child, WNOHANG)
    })
    expect(failure).toMatchObject({ kind: 'leak', error: { leaks: [{ kind: 'process', pid: 101, state: 'zombie' }] } })
    expect((failure!.error as LeakError).message).toContain('a zombie: it exited with 0 and has not been waited for')
  })

  it('a descriptor left open on an error path is a leak, found with the fault that leads there', async () => {
    const scenario: Scenario = ({ system }) => {
      try {
        const [r, w] = system.pipe2(O_CLOEXEC)
        system.waitpid(system.fork(program(exec('/bin/true'))))
        for (const fd of [r, w]) system.close(fd)
      } catch {
        // Does not close what it opened.
      }
    }
    expect(await finding(scenario)).toBeUndefined()
    expect(await finding(scenario, { faults: 1 })).toMatchObject({
      kind: 'leak',
      error: { leaks: expect.arrayContaining([expect.objectContaining({ kind: 'descriptor', fd: 3 })]) },
    })
  })
})
