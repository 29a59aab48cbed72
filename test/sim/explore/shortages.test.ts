import { describe, expect, it } from 'vitest'
import type { Calling, SimulatedProcess } from '../../../lib/sim/index.ts'
import { constants } from '../system.ts'
import { failuresOf } from './failures-of.ts'

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SHUT_WR } = constants

/** The failures of a call on a socket of a pair, apart from those of the pair itself. */
function failuresOnSocket(
  type: number,
  use: (process: SimulatedProcess, socket: number, peer: number) => Calling<unknown>,
): Promise<string[]> {
  return failuresOf(function* (process) {
    let ends: [number, number]
    try {
      ends = yield* process.socketpair(AF_UNIX, type)
    } catch {
      return
    }
    yield* use(process, ...ends)
  })
}

describe('with a fault allowed, for lack of resources', () => {
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

  it('a chdir fails with ENOMEM', async () => {
    expect(await failuresOf(process => process.chdir('/'))).toEqual(['chdir ENOMEM'])
  })

  it('an epoll_ctl fails where it adds, and nowhere else: no other allocates what it needs', async () => {
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
    expect(await of(EPOLL_CTL_MOD, EPOLLIN | EPOLLWAKEUP)).toEqual(others)
    const added = [others[0], others[1], 'epoll_ctl ENOMEM', 'epoll_ctl ENOSPC', others[2]]
    expect(await of(EPOLL_CTL_ADD, EPOLLIN)).toEqual(added)
  })

  it('a send fails with ENOBUFS by each of the three calls, and with ENOMEM where it passes descriptors', async () => {
    const data = new Uint8Array(1)
    for (const type of [SOCK_STREAM, SOCK_DGRAM]) {
      expect(await failuresOnSocket(type, (process, fd) => process.write(fd, data))).toEqual(['write ENOBUFS'])
      expect(await failuresOnSocket(type, (process, fd) => process.send(fd, data))).toEqual(['send ENOBUFS'])
      const sendmsg = (fds?: number[]) =>
        failuresOnSocket(type, (process, fd) => process.sendmsg(fd, fds === undefined ? { data } : { data, fds }))
      expect(await sendmsg()).toEqual(['sendmsg ENOBUFS'])
      expect(await sendmsg([0])).toEqual(['sendmsg ENOBUFS', 'sendmsg ENOMEM'])
    }
  })

  it('a send that never comes to allocate a buffer fails with its own errno', async () => {
    const shut = failuresOnSocket(SOCK_STREAM, function* (process, fd) {
      yield* process.shutdown(fd, SHUT_WR)
      yield* process.send(fd, new Uint8Array(1), constants.MSG_NOSIGNAL)
    })
    expect(await shut).toEqual(['send EPIPE'])
    const long = new Uint8Array(1_000_000)
    expect(await failuresOnSocket(SOCK_DGRAM, (process, fd) => process.send(fd, long))).toEqual(['send EMSGSIZE'])
    expect(await failuresOnSocket(SOCK_STREAM, (process, fd) => process.send(fd, long.subarray(0, 0)))).toEqual([])
    expect(await failuresOf(process => process.send(99, long))).toEqual(['send EBADF'])
  })

  it('a bad descriptor is found before a free number is looked for', async () => {
    expect(await failuresOf(process => process.dup(99))).toEqual(['dup EBADF'])
    expect(await failuresOf(process => process.fcntl(99, constants.F_DUPFD, 0))).toEqual(['fcntl EBADF'])
    expect(await failuresOf(process => process.dup(0))).toEqual(['dup EMFILE'])
  })

  it('a poll fails with ENOMEM if it is of more descriptors than the kernel has room for on its stack', async () => {
    const of = (count: number) => failuresOf(process => process.poll(Array(count).fill({ fd: -1, events: 0 }), 0))
    expect(await of(30)).toEqual([])
    expect(await of(31)).toEqual(['poll ENOMEM'])
  })

  it('a real-time signal that needs a place in the queue fails with EAGAIN, all but by kill', async () => {
    const ignoring = (send: (process: SimulatedProcess) => Calling<unknown>) =>
      failuresOf(function* (process) {
        yield* process.sigprocmask('block', ['SIGUSR1', 40])
        yield* send(process)
      })
    expect(await ignoring(process => process.tgkill(process.pid, process.tid, 40))).toEqual(['tgkill EAGAIN'])
    expect(await ignoring(process => process.raise('SIGRTMIN+6'))).toEqual(['tgkill EAGAIN'])
    expect(await ignoring(process => process.raise('SIGUSR1'))).toEqual([])
    expect(await ignoring(process => process.kill(process.pid, 40))).toEqual([])
  })
})
