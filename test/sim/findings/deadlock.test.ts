import { describe, expect, it } from 'vitest'
import { waitGraph } from '../../../lib/sim/findings/deadlock.ts'
import type { SimulatedDeadlockError, WaitGraph } from '../../../lib/sim/index.ts'
import { DeadlockError } from '../../../lib/system/errors.ts'
import { bytes, constants, exec, program } from '../world.ts'
import { watched } from './run.ts'

const { AF_UNIX, SOCK_STREAM, POLLIN, EPOLLIN, EPOLL_CTL_ADD, O_CLOEXEC, F_SETPIPE_SZ } = constants

/** The deadlock error of a call. */
function deadlockOf(call: () => unknown): { message: string; graph: WaitGraph } {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(DeadlockError)
    const { message, graph, code } = error as SimulatedDeadlockError
    expect(code).toBe('ERR_DEADLOCK')
    return { message, graph }
  }
  throw new Error('no deadlock')
}

describe('a deadlock', () => {
  it('of a reader that keeps the write end open itself: names its last close, at an exit, and its holders', () => {
    const { host } = watched()
    const [r, w] = host.pipe2()
    const child = host.fork(program(exec('/bin/true')))
    host.waitpid(child)
    const { message, graph } = deadlockOf(() => host.read(r, bytes(1)))
    expect(graph).toMatchObject({
      waits: [
        {
          pid: 100,
          on: 'pipe-read',
          awaited: false,
          waitsFor: [100],
          files: [{ fd: r, holders: [{ pid: 100, fds: [w] }] }],
        },
      ],
      cycle: [100],
      causes: [{ kind: 'exit', pid: child, by: undefined, fd: w }],
    })
    expect(message).toMatch(
      new RegExp(
        [
          '^deadlock: no task can continue',
          '  100 \\(host\\) waits to read the read end of pipe (\\d+) \\(fd 3\\), whose other end 100 \\(host\\) holds as fd 4',
          '  so 100 \\(host\\) waits for itself',
          '  the write end of pipe \\1 was closed last by 101 \\(/bin/true\\) as fd 4, at its exit; 100 \\(host\\) still holds it as fd 4$',
        ].join('\n'),
      ),
    )
  })

  it.each([
    ['kill', /by 101 \(\/bin\/cat\) as fd 4, when SIGKILL from 100 \(host\) ended it; 100 \(host\) still holds it/],
    ['close', /by 101 \(fork of host\) as fd 4, by a close; 100 \(host\)/],
    ['exec', /by 101 \(\/bin\/sleep\) as fd 4, at its exec; 100 \(host\)/],
    ['replace', /by 101 \(fork of host\) as fd 4, by a dup3 onto that number; 100 \(host\)/],
  ] as const)('names the %s that a writer’s descriptor was closed by', (how, expected) => {
    const { kernel, host } = watched()
    const [r, w] = host.pipe2(how === 'exec' ? O_CLOEXEC : 0)
    const [blocks] = host.pipe2()
    const child = host.fork(
      how === 'kill'
        ? program({ op: 'dup2', fd: blocks, target: 0 }, exec('/bin/cat'))
        : how === 'close'
          ? program({ op: 'close', fd: w }, exec('/bin/sleep', '1'))
          : how === 'replace'
            ? program({ op: 'dup2', fd: 0, target: w }, exec('/bin/sleep', '1'))
            : program(exec('/bin/sleep', '1')),
    )
    kernel.settle()
    if (how === 'kill') host.kill(child, 'SIGKILL')
    const { message, graph } = deadlockOf(() => host.read(r, bytes(1)))
    expect(message).toMatch(expected)
    expect(graph.causes).toMatchObject([
      { kind: how === 'replace' ? 'close' : how, pid: child, by: how === 'kill' ? 100 : undefined },
    ])
  })

  it('of two that wait for each other: the circle', () => {
    const { kernel, host } = watched()
    const [r1, w1] = host.pipe2()
    const [r2, w2] = host.pipe2()
    kernel.install('/reader', function* (self) {
      yield* self.close(w1)
      yield* self.close(r2)
      yield* self.read(r1, bytes(1))
    })
    const child = host.fork(program(exec('/reader')))
    host.close(r1)
    host.close(w2)
    const { message, graph } = deadlockOf(() => host.read(r2, bytes(1)))
    expect(graph.cycle).toEqual([100, child])
    expect(message).toContain('  so 100 (host) waits for 101 (/reader), which waits for 100 (host)\n')
    expect(graph.causes).toMatchObject([
      { kind: 'close', pid: 100, fd: w2 },
      { kind: 'close', pid: child, fd: w1 },
    ])
  })

  it('that is not of the host: a wait for a child, whose circle is its own', () => {
    const { kernel, host } = watched()
    kernel.install('/own-end', function* (self) {
      const [a] = yield* self.socketpair(AF_UNIX, SOCK_STREAM)
      yield* self.recv(a, bytes(1))
    })
    const child = host.fork(program(exec('/own-end')))
    const { message, graph } = deadlockOf(() => host.waitpid(child))
    expect(graph.cycle).toEqual([child])
    expect(message).toContain('100 (host) waits for a child (101 (/own-end))')
    expect(message).toContain('so 101 (/own-end) waits for itself')
  })

  it('with a stopped child: names the sender of the stop', () => {
    const { kernel, host } = watched()
    const child = host.fork(program(exec('/bin/sleep', '1')))
    kernel.settle()
    host.kill(child, 'SIGSTOP')
    const { message, graph } = deadlockOf(() => host.waitpid(child))
    expect(graph.waits).toMatchObject([
      { pid: 100, on: 'child' },
      { pid: child, on: 'stopped' },
    ])
    expect(graph.causes).toMatchObject([{ kind: 'stop', pid: child, by: 100 }])
    expect(graph.cycle).toEqual([])
    expect(message).toContain('101 (/bin/sleep) is stopped by SIGSTOP, until a SIGCONT')
    expect(message).toContain('101 (/bin/sleep) was stopped by SIGSTOP from 100 (host)')
  })

  it('with a tracee that is never resumed: names its stop, and the circle', () => {
    const { host } = watched()
    const child = host.fork(program({ op: 'traceme' }, exec('/bin/true')))
    host.waitpid(child)
    const { message, graph } = deadlockOf(() => host.waitpid(child))
    expect(message).toContain('101 (/bin/true) is in a ptrace stop (SIGTRAP), until 100 (host) lets it go on')
    expect(graph.cycle).toEqual([100, child])
  })

  it('of a writer whose pipe is never read', () => {
    const { host } = watched()
    const [, w] = host.pipe2()
    host.fcntl(w, F_SETPIPE_SZ, 4096)
    const { message, graph } = deadlockOf(() => host.write(w, bytes(4097)))
    expect(message).toMatch(
      /waits to write the write end of pipe \d+ \(fd 4\), whose other end 100 \(host\) holds as fd 3/,
    )
    expect(graph.causes).toEqual([])
  })

  it('of poll and of epoll_wait: names each file watched, and the holders of its other end', () => {
    const { host } = watched()
    const [r1] = host.pipe2()
    const [r2, w2] = host.pipe2()
    const epfd = host.epollCreate1()
    host.epollCtl(epfd, EPOLL_CTL_ADD, r1, { events: EPOLLIN, data: 0 })
    const ofPoll = deadlockOf(() =>
      host.poll(
        [r1, r2].map(fd => ({ fd, events: POLLIN })),
        -1,
      ),
    )
    expect(ofPoll.graph.waits).toMatchObject([
      { on: 'poll', files: [{ fd: r1 }, { fd: r2, holders: [{ fds: [w2] }] }] },
    ])
    expect(ofPoll.message).toMatch(/waits in poll for the read end of .* or the read end of /)
    const ofEpoll = deadlockOf(() => host.epollWait(epfd, 1, -1))
    expect(ofEpoll.graph.waits).toMatchObject([{ on: 'epoll', files: [{ fd: r1 }] }])
  })

  it('of a scenario that awaits: what the host awaits is in the graph', async () => {
    const { kernel, host, inner } = watched()
    const [r, w] = host.pipe2()
    const child = host.fork(program({ op: 'dup2', fd: r, target: 0 }, exec('/bin/cat')))
    const ended = host.onChildChange(() => {})
    const controller = new AbortController()
    const readable = host.ready(r, POLLIN, { signal: controller.signal })
    kernel.settle()
    const { waits, cycle } = waitGraph(inner)
    expect(waits).toMatchObject([
      { pid: child, on: 'pipe-read', waitsFor: [100, child] },
      { pid: 100, on: 'child', awaited: true, waitsFor: [child] },
      { pid: 100, on: 'poll', awaited: true, files: [{ fd: r, holders: [{ pid: 100, fds: [w] }, { pid: child }] }] },
    ])
    expect(waits[1]!.description).toBe('awaits news of a child (101 (/bin/cat))')
    expect(waits[2]!.description).toMatch(/^awaits readiness of the read end of pipe/)
    expect(cycle).toEqual([100])
    ended()
    controller.abort()
    await expect(readable).rejects.toThrow('aborted')
  })
})
