import { describe, expect, it } from 'vitest'
import { type ExploreOptions, explore, type Scenario } from '../../../lib/sim/index.ts'
import { constants } from '../system.ts'
import { child, exec } from './recorded.ts'

const byte = () => new Uint8Array(1)

/** The failure's kind, and each event it marks as 'column: text ▲ kind: mark'. */
async function pointedAt(
  scenario: Scenario,
  options?: ExploreOptions,
): Promise<[kind: string | undefined, ...string[]]> {
  const { failure } = await explore(scenario, options)
  const { columns, events } = failure!.timeline
  const marked = events.filter(({ mark }) => mark !== undefined)
  const lines = marked.map(
    ({ column, text, mark }) => `${columns[column]!.tid}: ${text} ▲ ${mark!.kind}: ${mark!.text}`,
  )
  return [failure!.kind, ...lines]
}

describe('the timeline of a failure points at', () => {
  it('the host itself, where it threw before any call', async () => {
    const { failure } = await explore(() => {
      throw new Error('too early')
    })
    expect(String(failure?.timeline)).toContain('no call\n   ▐ ▲ error: too early')
  })

  it('the call that failed, whatever was undone after it', async () => {
    const marks = await pointedAt(({ system }) => {
      const fd = system.dup(0)
      try {
        system.waitpid(77)
      } finally {
        system.close(fd)
      }
    })
    expect(marks).toEqual(['error', '100: waitpid(77) = ECHILD ▲ error: ECHILD: no child processes, waitpid'])
  })

  it('the call that made a descriptor left open, not one that made a socket of the same number', async () => {
    const marks = await pointedAt(({ system }) => {
      const fds = [system.dup(0), system.dup(0)]
      const sockets = system.socketpair(constants.AF_UNIX, constants.SOCK_STREAM, 0)
      for (const fd of [fds[0]!, ...sockets]) system.close(fd)
    })
    expect(marks).toEqual(['leak', '100: dup(0) = 4 ▲ leak: fd 4 is still open: /dev/null'])
  })

  it('the call that made a descriptor left open, not a waitid of a kind with the same number', async () => {
    const marks = await pointedAt(({ system }) => {
      const fd = system.dup(0)
      system.fork(child({ op: 'exit', code: 0 }))
      expect(fd).toBe(constants.P_PIDFD)
      try {
        system.waitid(constants.P_PIDFD, 77, constants.WEXITED)
      } catch {}
      system.waitpid(-1)
    })
    expect(marks).toEqual(['leak', '100: dup(0</dev/null>) = 3 ▲ leak: fd 3 is still open: /dev/null'])
  })

  it('the await that was rejected', async () => {
    const marks = await pointedAt(async ({ system }) => {
      const [r, w] = system.pipe2()
      const ready = system.ready(r, constants.POLLIN)
      system.close(r)
      system.close(w)
      await ready
    })
    expect(marks).toEqual(['error', '100: … await ready(3) = EBADF ▲ error: EBADF: bad file descriptor, ready'])
  })

  it('the last that the scenario did before an assertion failed', async () => {
    const marks = await pointedAt(({ system }) => {
      system.close(system.dup(0))
      throw new Error('not what was hoped for\nby far')
    })
    expect(marks).toEqual(['error', '100: close(3</dev/null>) ▲ error: not what was hoped for by far'])
  })

  it('the end of a program that did not catch its error', async () => {
    const marks = await pointedAt(({ kernel, system }) => {
      kernel.install('/bin/careless', function* (process) {
        yield* process.close(55)
      })
      system.waitpid(system.fork(child(exec('/bin/careless'))))
    })
    const message = 'EBADF: bad file descriptor, close'
    expect(marks).toEqual(['error', `101: killed by SIGABRT: ${message} ▲ error: ${message}`])
  })

  it('both accesses of a race', async () => {
    const marks = await pointedAt(({ kernel, system }) => {
      const cell = kernel.cell(0)
      kernel.install('/bin/racer', function* (process) {
        yield* process.thread(function* (thread) {
          yield* thread.store(cell, 1)
        })
        yield* process.load(cell)
        yield* process.sleep(1)
      })
      system.waitpid(system.fork(child(exec('/bin/racer'))))
    })
    expect(marks[0]).toBe('race')
    expect(marks.slice(1).toSorted()).toEqual([
      expect.stringMatching(/^101: load\(cell \d+\) = \d ▲ race: nothing orders this and the store of 102$/),
      expect.stringMatching(/^102: store\(cell \d+, 1\) ▲ race: nothing orders this and the load of 101$/),
    ])
  })

  it('the calls of a deadlock, with arrows from each waiter to what it waits for', async () => {
    const scenario: Scenario = ({ system }) => {
      const [readA] = system.pipe2()
      const [readB] = system.pipe2()
      system.fork(child({ op: 'read', fd: readA, bytes: 1 }))
      system.read(readB, byte())
    }
    const [kind, ...marks] = await pointedAt(scenario)
    expect(kind).toBe('deadlock')
    expect(marks).toHaveLength(2)
    expect(marks.find(mark => mark.startsWith('100'))).toMatch(
      /^100: read\(5\) ▲ deadlock: waits to read the read end of pipe/,
    )
    expect(marks.find(mark => mark.startsWith('101'))).toMatch(/^101: read\(3<pipe \d>\) ▲ deadlock: waits to read/)
    const { arrows, events } = (await explore(scenario)).failure!.timeline
    const waits = arrows.filter(arrow => arrow.kind === 'waits')
    expect(waits.map(({ from, to }) => [events[from]!.column, events[to]!.column]).toSorted()).toEqual([
      [0, 1],
      [1, 0],
    ])
  })

  it('each thing that the host awaits in a deadlock, news of its children too', async () => {
    const [kind, ...marks] = await pointedAt(async ({ system }) => {
      const [readA] = system.pipe2()
      const [readB] = system.pipe2()
      system.onChildChange(() => {})
      await Promise.all([system.ready(readA, 1), system.ready(readB, 1), system.sleep(1)])
    })
    expect(kind).toBe('deadlock')
    expect(marks).toEqual([
      expect.stringMatching(/^100: await ready\(3\) ▲ deadlock: awaits readiness of .* \(fd 3\)/),
      expect.stringMatching(/^100: await ready\(5\) ▲ deadlock: awaits readiness of .* \(fd 5\)/),
      expect.stringMatching(/^100: await SIGCHLD ▲ deadlock: awaits news of a child/),
    ])
  })

  it('news that came too early, of a child that is a zombie', async () => {
    const [kind, ...marks] = await pointedAt(async ({ system }) => {
      system.fork(child({ op: 'exit', code: 0 }))
      await system.sleep(1)
      await new Promise<void>(resolve => system.onChildChange(resolve))
    })
    expect(kind).toBe('deadlock')
    expect(marks).toEqual([expect.stringMatching(/^100: await SIGCHLD ▲ deadlock: .*101 \(fork of host\), a zombie/)])
  })

  it('the end of a host that awaits nothing of its world, besides the other waits', async () => {
    const [kind, ...marks] = await pointedAt(async ({ system }) => {
      system.fork(child({ op: 'raise', signal: 'SIGSTOP' }))
      await new Promise(() => {})
    })
    expect(kind).toBe('deadlock')
    expect(marks).toContainEqual(expect.stringMatching(/^100: await ▲ deadlock: awaits nothing/))
    expect(marks).toContainEqual(expect.stringMatching(/^101: .*SIGSTOP.* ▲ deadlock: is stopped/))
  })

  it('what led to a deadlock', async () => {
    const [kind, ...marks] = await pointedAt(({ system }) => {
      const [r, w] = system.pipe2()
      const pid = system.fork(child({ op: 'close', fd: w }))
      system.waitpid(pid)
      system.read(r, byte())
    })
    expect(kind).toBe('deadlock')
    expect(marks).toEqual([
      expect.stringMatching(/^101: close\(4<pipe 4>\) ▲ cause: the write end of pipe 4 was closed last by 101/),
      expect.stringMatching(/^100: read\(3\) ▲ deadlock: waits to read the read end of pipe 4/),
    ])
  })

  it('the last use of a descriptor that was left open, and not of its other end', async () => {
    const [, ...marks] = await pointedAt(({ system }) => {
      const [readA, writeA] = system.pipe2()
      system.close(writeA)
      const [, writeB] = system.pipe2()
      system.fcntl(writeB, constants.F_GETFL)
      const copy = system.dup(writeB)
      system.close(writeB)
      system.close(system.dup(copy))
      system.bytesReadable(readA)
    })
    expect(marks).toEqual([
      expect.stringMatching(/^100: pipe2\(\) = 4, 5<.*> ▲ leak: fd 4 is still open: the read end/),
      expect.stringMatching(/^100: dup\(6<.*>\) = 5 ▲ leak: fd 6 is still open: the write end/),
      expect.stringMatching(/^100: ioctl\(3\) = 0 ▲ leak: fd 3 is still open/),
    ])
  })

  it('the call that made them, for both ends of an unused pipe', async () => {
    const [, mark] = await pointedAt(({ system }) => void system.pipe2())
    expect(mark).toMatch(/^100: pipe2\(\).* ▲ leak: fd 3 is still open: .*; fd 4 is still open: /)
  })

  it('the descriptors and the processes left behind', async () => {
    const [kind, ...marks] = await pointedAt(({ system }) => {
      const fd = system.dup(0)
      system.fcntl(fd, constants.F_GETFD)
      system.fork(child({ op: 'exit', code: 3 }))
    })
    expect(kind).toBe('leak')
    expect(marks.toSorted()).toEqual([
      '100: fcntl(3</dev/null>, F_GETFD) ▲ leak: fd 3 is still open: /dev/null',
      expect.stringMatching(/^101: exits with 3 ▲ leak: .*zombie/),
    ])
  })

  it('faults, as what led to it', async () => {
    const [kind, ...marks] = await pointedAt(
      ({ system }) => {
        for (const fd of system.pipe2()) system.close(fd)
      },
      { faults: 1 },
    )
    expect(kind).toBe('error')
    expect(marks).toEqual([expect.stringMatching(/^100: pipe2\(\) = EMFILE ▲ error: EMFILE/)])
  })

  it('a process that a fault killed', async () => {
    const [, ...marks] = await pointedAt(
      ({ system }) => {
        const pid = system.fork(child({ op: 'exit', code: 0 }))
        const { status } = system.waitpid(pid)!
        if (status.kind !== 'exited') throw new Error('killed')
      },
      { faults: 1 },
    )
    expect(marks).toContain('101: SIGKILL ▲ fault: killed from outside')
  })
})
