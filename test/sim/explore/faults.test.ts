import { describe, expect, it } from 'vitest'
import { type ExploreOptions, explore, type Scenario } from '../../../lib/sim/index.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import type { System } from '../system.ts'

/** What a scenario notes in all its runs. */
async function seen(scenario: (system: System) => string, options: ExploreOptions = {}): Promise<string[]> {
  const notes = new Set<string>()
  const run: Scenario = ({ system }) => {
    notes.add(scenario(system))
  }
  const { failure, complete } = await explore(run, { faults: 1, preemptions: 0, ...options })
  expect(failure?.error).toBeUndefined()
  expect(complete).toBe(true)
  return [...notes].sort()
}

/** A call's result, or its errno. */
function result(call: () => unknown): string {
  try {
    return String(call())
  } catch (error) {
    if (error instanceof SystemError) return error.code
    throw error
  }
}

/** A pipe, closed after. */
function withPipe<Result>(system: System, use: (read: number, write: number) => Result): Result | string {
  let ends: [number, number]
  try {
    ends = system.pipe2(0)
  } catch (error) {
    return (error as SystemError).code
  }
  try {
    return use(...ends)
  } finally {
    for (const fd of ends) system.close(fd)
  }
}

describe('with a fault allowed', () => {
  it('calls that make descriptors fail with EMFILE', async () => {
    const socketpair = (system: System) => result(() => system.socketpair(1, 1).forEach(fd => void system.close(fd)))
    expect(await seen(socketpair)).toEqual(['EMFILE', 'undefined'])
    expect(await seen(system => withPipe(system, () => 'a pipe'))).toEqual(['EMFILE', 'a pipe'])
  })

  it('a fork fails with EAGAIN and ENOMEM, and its child may be killed at any step', async () => {
    const notes = await seen(system => {
      const forked = result(() => system.fork({ actions: [{ op: 'exit', code: 3 }] }))
      if (forked.startsWith('E')) return forked
      const waited = () => result(() => system.waitpid(Number(forked))?.status.kind)
      const first = waited()
      return first === 'EINTR' ? `${first}, ${waited()}` : first
    })
    expect(notes).toEqual(['EAGAIN', 'EINTR, exited', 'ENOMEM', 'exited', 'signaled'])
  })

  it('reads and writes are cut short', async () => {
    const notes = await seen(system =>
      withPipe(system, (read, write) => {
        const written = result(() => system.write(write, new Uint8Array(8)))
        return `${written} ${result(() => system.read(read, new Uint8Array(8)))}`
      }),
    )
    expect(notes).toEqual(['4 4', '8 4', '8 8', 'EMFILE'])
  })

  it('a call that waits is interrupted, and one that need not wait is not', async () => {
    const notes = await seen(system =>
      withPipe(system, (read, write) => {
        const pid = result(() => system.fork({ actions: [{ op: 'write', fd: write, data: Uint8Array.of(1) }] }))
        if (pid.startsWith('E')) return 'no fork'
        const first = result(() => system.waitpid(Number(pid))?.status.kind)
        if (first === 'EINTR') system.waitpid(Number(pid))
        return `${first}, ${system.bytesReadable(read)}`
      }),
    )
    expect(notes).toContain('EINTR, 1')
    expect(notes).toContain('exited, 1')
    expect(notes).toContain('signaled, 0')
  })

  it('two faults are no more than two', async () => {
    const pipes = (system: System) => {
      const codes = [1, 2, 3].map(() => withPipe(system, () => 'a pipe'))
      return String(codes.filter(code => code === 'EMFILE').length)
    }
    expect(await seen(pipes)).toEqual(['0', '1'])
    expect(await seen(pipes, { faults: 2 })).toEqual(['0', '1', '2'])
    expect(await seen(pipes, { faults: 0 })).toEqual(['0'])
    expect(await seen(pipes, { faults: 2, strategy: 'exhaustive' })).toEqual(['0', '1', '2'])
  })

  it('a bug that needs one is found with one, and not without', async () => {
    const forgetful: Scenario = ({ system }) => {
      const [read, write] = system.pipe2(0)
      let pid = 0
      try {
        pid = system.fork({ actions: [] })
      } catch {
        return
      }
      system.close(read)
      system.close(write)
      while (pid > 0) {
        try {
          system.waitpid(pid)
          return
        } catch (error) {
          if (!(error instanceof SystemError) || error.code !== 'EINTR') throw error
        }
      }
    }
    expect(await explore(forgetful)).toMatchObject({ complete: true })
    const open: Scenario = world => {
      try {
        forgetful(world)
      } catch (error) {
        if (!(error instanceof SystemError) || error.syscall !== 'pipe2') throw error
      }
    }
    const { failure } = await explore(open, { faults: 1 })
    expect(failure?.kind).toBe('leak')
    expect(failure?.error.message).toContain('the read end of pipe')
  })
})
