import { describe, expect, it } from 'vitest'
import { type ExploreOptions, explore, type HandlerOptions, replay, type Scenario } from '../../../lib/sim/index.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import { constants, type System } from '../system.ts'
import { exec } from '../world.ts'

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

/** A write to an empty pipe, and a read of as much: their results. */
function writesAndReads(system: System, count: number): string {
  return withPipe(system, (read, write) => {
    const written = result(() => system.write(write, new Uint8Array(count)))
    return `${written} ${result(() => system.read(read, new Uint8Array(count)))}`
  })
}

/** The errno, if any, with which a call of a program that waits for a byte ended: those of all runs. */
async function waitingProgram(
  handler: HandlerOptions | null,
  call: 'read' | 'poll' | 'epollWait',
  options: ExploreOptions = {},
): Promise<string[]> {
  const notes = new Set<string>()
  await explore(
    ({ kernel, system }) => {
      kernel.install('/waits', function* (process) {
        if (handler !== null) yield* process.sigaction('SIGUSR1', function* () {}, handler)
        try {
          const epoll = yield* process.epollCreate1()
          yield* process.epollCtl(epoll, constants.EPOLL_CTL_ADD, 0, { events: 1, data: 0 })
          if (call === 'read') yield* process.read(0, new Uint8Array(1))
          else if (call === 'poll') yield* process.poll([{ fd: 0, events: 1 }], -1)
          else yield* process.epollWait(epoll, 1, -1)
        } catch (error) {
          notes.add((error as SystemError).code)
        }
      })
      let ends: [number, number] | undefined
      try {
        ends = system.pipe2(constants.O_CLOEXEC)
        const pid = system.fork({ actions: [{ op: 'dup2', fd: ends[0], target: 0 }, exec('/waits')] })
        system.kill(pid, 0)
        system.write(ends[1], Uint8Array.of(1))
        while (result(() => void system.waitpid(pid)) === 'EINTR');
      } catch {
        // Of the calls around it any may fail, too.
      }
      for (const fd of ends ?? []) system.close(fd)
    },
    { faults: 1, ...options },
  )
  return [...notes]
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
      return result(() => system.waitpid(Number(forked))?.status.kind)
    })
    expect(notes).toEqual(['EAGAIN', 'ENOMEM', 'exited', 'signaled'])
  })

  it('a write to a pipe of up to PIPE_BUF bytes is whole, and a longer one may end after a page', async () => {
    expect(await seen(system => writesAndReads(system, 8))).toEqual(['8 8', 'EMFILE'])
    expect(await seen(system => writesAndReads(system, 4096))).toEqual(['4096 4096', 'EMFILE'])
    expect(await seen(system => writesAndReads(system, 12_000))).toEqual(['12000 12000', '4096 4096', 'EMFILE'])
  })

  it('a write to a stream socket is whole up to the most that one buffer takes', async () => {
    const sends = (bytes: number) =>
      seen(system => {
        const ends = [0, 0]
        const made = result(() => ends.splice(0, 2, ...system.socketpair(1, 1)))
        if (made.startsWith('E')) return made
        const sent = result(() => system.send(ends[0]!, new Uint8Array(bytes)))
        for (const fd of ends) system.close(fd)
        return sent
      })
    expect(await sends(8)).toEqual(['8', 'EMFILE', 'ENOBUFS'])
    const [whole, short] = await sends(80_000)
    expect(whole).toBe('36544')
    expect(short).toBe('80000')
  })

  it('a write that has waited in its middle ends with what it has moved, as after a stop and SIGCONT', async () => {
    const notes = new Set<string>()
    const { failure } = await explore(
      ({ kernel, system }) => {
        const wrote = kernel.cell(0)
        kernel.install('/writer', function* (process) {
          yield* process.store(wrote, yield* process.write(1, new Uint8Array(70_000)))
        })
        let ends: [number, number]
        let pid: number
        try {
          ends = system.pipe2(constants.O_CLOEXEC)
          pid = system.fork({ actions: [{ op: 'dup2', fd: ends[1], target: 1 }, exec('/writer')] })
        } catch {
          return
        }
        system.close(ends[1])
        while (system.read(ends[0], new Uint8Array(70_000)) > 0);
        const { code } = system.waitpid(pid)!.status as { code: number | null }
        if (code === 0) notes.add(String(wrote.value))
        system.close(ends[0])
      },
      { faults: 1, preemptions: 0 },
    )
    expect(failure?.kind).toBe('leak')
    expect([...notes].sort()).toEqual(['36864', '65536', '70000'])
  })

  it('a call that waits is interrupted where a handler of its process has no SA_RESTART', async () => {
    const interrupted = async (
      options: HandlerOptions | null,
      call: 'read' | 'poll' | 'epollWait',
      more?: ExploreOptions,
    ) => {
      const notes = await waitingProgram(options, call, more)
      return notes.includes('EINTR')
    }
    expect(await interrupted(null, 'read')).toBe(false)
    expect(await interrupted({ restart: true }, 'read')).toBe(false)
    expect(await interrupted({}, 'read')).toBe(true)
    expect(await interrupted(null, 'poll')).toBe(false)
    // Those on signal(7)'s list are never made again.
    expect(await interrupted({ restart: true }, 'poll')).toBe(true)
    // A stop signal and SIGCONT are enough for this one.
    expect(await interrupted(null, 'epollWait')).toBe(true)
    expect(await interrupted(null, 'read', { portable: true })).toBe(true)
  })

  it('of the calls of the host, with Node’s handlers, only those are interrupted that are never made again', async () => {
    const waits = (wait: (system: System, fd: number) => unknown) =>
      seen(system =>
        withPipe(system, (read, write) => {
          const pid = result(() => system.fork({ actions: [{ op: 'write', fd: write, data: Uint8Array.of(1) }] }))
          if (pid.startsWith('E')) return 'no fork'
          system.close(write)
          system.dup3(read, write)
          const waited = result(() => wait(system, read))
          system.waitpid(Number(pid))
          return waited
        }),
      )
    expect(await waits((system, fd) => system.read(fd, new Uint8Array(1)))).not.toContain('EINTR')
    expect(await waits((system, fd) => system.poll([{ fd, events: 1 }], -1))).toContain('EINTR')
  })

  it('what POSIX alone allows is added by `portable`', async () => {
    const portable = { portable: true }
    expect(await seen(system => writesAndReads(system, 8), portable)).toEqual(['8 4', '8 8', 'EMFILE'])
    expect(await seen(system => writesAndReads(system, 1000), portable)).toEqual([
      '1000 1000',
      '1000 500',
      '500 500',
      'EMFILE',
    ])
    const waits = (system: System) => {
      const forked = result(() => system.fork({ actions: [] }))
      if (forked.startsWith('E')) return 'no fork'
      const first = result(() => system.waitpid(Number(forked))?.status.kind)
      if (first === 'EINTR') system.waitpid(Number(forked))
      return first
    }
    expect(await seen(waits)).toEqual(['exited', 'no fork', 'signaled'])
    expect(await seen(waits, portable)).toEqual(['EINTR', 'exited', 'no fork', 'signaled'])
  })

  it('a schedule says whether its faults were portable ones', async () => {
    const trusting: Scenario = ({ system }) => {
      withPipe(system, (read, write) => {
        system.write(write, new Uint8Array(8))
        if (system.read(read, new Uint8Array(8)) < 8) throw new Error('a short read')
        return ''
      })
    }
    expect((await explore(trusting, { faults: 1 })).failure).toBeUndefined()
    const { failure } = await explore(trusting, { faults: 1, portable: true })
    expect(failure?.schedule).toMatch(/^1:1p\+/)
    expect((await replay(trusting, failure!.schedule)).failure?.error.message).toContain('a short read')
    await expect(explore(trusting, { portable: 1 as unknown as boolean })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    })
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
