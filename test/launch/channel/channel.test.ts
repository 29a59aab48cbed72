/** A Channel's notifications, end of file and descriptors. */

import { expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import { constants } from '../../../lib/system/constants.ts'
import { rescueFromBlocking } from '../../support/rescue.ts'
import { describeNative } from '../support/native.ts'
import { untilState } from '../support/processes.ts'

const { FD_CLOEXEC, F_GETFD, F_GETFL, F_SETFL, O_NONBLOCK, __WALL } = constants
const kinds = ['pipe', 'socketpair'] as const
const byte = Uint8Array.of(1)

describeNative('a channel', system => {
  rescueFromBlocking()

  it.each(kinds)('delivers a notification (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    channel.notify()
    await channel.wait()
  })

  it.each(kinds)('delivers a notification that comes after the wait began (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    const waiting = channel.wait()
    channel.notify()
    await waiting
  })

  it.each(kinds)('has close-on-exec descriptors (%s)', kind => {
    using channel = Channel.open({ kind, system })
    expect(channel.readFd).not.toBe(channel.writeFd)
    expect(system.fcntl(channel.readFd, F_GETFD) & FD_CLOEXEC).toBe(FD_CLOEXEC)
    expect(system.fcntl(channel.writeFd, F_GETFD) & FD_CLOEXEC).toBe(FD_CLOEXEC)
  })

  it.each([{}, 5, null, 'native'])('refuses a system that is none (%s)', none => {
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })
    expect(() => Channel.open({ system: none as never })).toThrow(refused)
    expect(() => Channel.fromFds({ read: 0 }, { system: none as never })).toThrow(refused)
  })

  it('is a pipe unless asked for a socketpair', () => {
    using pipe = Channel.open()
    using pair = Channel.open({ kind: 'socketpair' })
    expect(() => system.getsockopt(pipe.readFd, constants.SOL_SOCKET, constants.SO_TYPE)).toThrow('ENOTSOCK')
    expect(system.getsockopt(pair.readFd, constants.SOL_SOCKET, constants.SO_TYPE)).toBe(constants.SOCK_STREAM)
  })

  it.each(kinds)('waits for each of many notifications once (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    for (let i = 0; i < 200; i++) channel.notify()
    for (let i = 0; i < 100; i++) await channel.wait()
    for (let i = 0; i < 100; i++) channel.waitSync()
    await expect(channel.wait({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
  })

  it.each(kinds)('serves concurrent waits in the order in which they began (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    const served: number[] = []
    const waits = Array.from({ length: 20 }, (_, i) => channel.wait().then(() => served.push(i)))
    for (let i = 0; i < 7; i++) channel.notify()
    await Promise.all(waits.slice(0, 7))
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6])
    for (let i = 7; i < 20; i++) channel.notify()
    await Promise.all(waits)
    expect(served).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  it.each(kinds)('delivers what was sent before end of file, then rejects with ChannelClosedError (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    channel.notify()
    channel.closeWrite()
    await channel.wait()
    await expect(channel.wait()).rejects.toMatchObject({ name: 'ChannelClosedError', code: 'ERR_CHANNEL_CLOSED' })
    expect(() => channel.waitSync()).toThrow(expect.objectContaining({ code: 'ERR_CHANNEL_CLOSED' }))
  })

  it.each(kinds)('rejects every pending wait at end of file (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    const waits = [channel.wait(), channel.wait(), channel.wait()]
    channel.notify()
    channel.closeWrite()
    const results = await Promise.allSettled(waits)
    expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  it('says that its peer is gone when a socketpair was closed with notifications unread', async () => {
    const [mine, theirs] = system.socketpair(constants.AF_UNIX, constants.SOCK_STREAM | constants.SOCK_CLOEXEC)
    using channel = Channel.fromFds({ read: mine, write: mine }, { system })
    channel.notify()
    system.close(theirs)
    await expect(channel.wait()).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
  })

  it.each(kinds)('fails to notify with EPIPE when no reader is left (%s)', kind => {
    using channel = Channel.open({ kind, system })
    channel.closeRead()
    expect(() => channel.notify()).toThrow(expect.objectContaining({ code: 'EPIPE', syscall: 'write' }))
  })

  it('refuses to notify and to wait once it is closed', async () => {
    const channel = Channel.open({ system })
    channel.close()
    const closed = expect.objectContaining({ code: 'ERR_CHANNEL_CLOSED' })
    expect(() => channel.notify()).toThrow(closed)
    expect(() => channel.waitSync()).toThrow(closed)
    await expect(channel.wait()).rejects.toEqual(closed)
    expect([channel.readFd, channel.writeFd]).toEqual([-1, -1])
  })

  it('waits on a descriptor that other code made non-blocking', async () => {
    using channel = Channel.open({ system })
    system.fcntl(channel.readFd, F_SETFL, system.fcntl(channel.readFd, F_GETFL) | O_NONBLOCK)
    const waiting = channel.wait()
    channel.notify()
    await waiting
    const pid = system.fork({ actions: [{ op: 'write', fd: channel.writeFd, data: byte }] })
    channel.waitSync()
    system.waitpid(pid)
  })

  it('leaves the flags of its descriptors as they are while it waits', async () => {
    using channel = Channel.open({ system })
    const before = system.fcntl(channel.readFd, F_GETFL)
    const waiting = channel.wait()
    expect(system.fcntl(channel.readFd, F_GETFL)).toBe(before)
    channel.notify()
    await waiting
    expect(system.fcntl(channel.readFd, F_GETFL)).toBe(before)
  })

  it.each(kinds)('carries notifications from a child, and its end (%s)', async kind => {
    using channel = Channel.open({ kind, system })
    const notify = { op: 'write', fd: channel.writeFd, data: byte } as const
    const pid = system.fork({ actions: [notify, notify, { op: 'exit', code: 3 }] })
    channel.closeWrite()
    await channel.wait()
    channel.waitSync()
    await expect(channel.wait()).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    expect(system.waitpid(pid)?.status).toMatchObject({ kind: 'exited', code: 3 })
  })

  it('carries notifications to a child, which ends at end of file', async () => {
    const channel = Channel.open({ system })
    const read = { op: 'read', fd: channel.readFd, bytes: 1 } as const
    const close = { op: 'close', fd: channel.writeFd } as const
    const told = system.fork({ actions: [close, read, { op: 'exit', code: 5 }] })
    channel.notify()
    expect(system.waitpid(told)?.status).toMatchObject({ code: 5 })
    const abandoned = system.fork({ actions: [close, read, { op: 'exit', code: 5 }] })
    channel.close()
    expect(system.waitpid(abandoned)?.status).toMatchObject({ code: 126 })
  })

  it('waits, blocking, through the SIGCHLDs of other children', async () => {
    using channel = Channel.open({ system })
    const run = (...argv: string[]) =>
      ({ op: 'execve', files: [`/bin/${argv[0]}`], argv, env: ['PATH=/bin:/usr/bin'] }) as const
    // Thirty children end while the wait blocks. The last one notifies.
    const pids = Array.from({ length: 30 }, (_, i) => system.fork({ actions: [run('sleep', `0.0${10 + i}`)] }))
    const notifying = run('sh', '-c', 'sleep 0.06; printf x >&3')
    pids.push(system.fork({ actions: [{ op: 'dup2', fd: channel.writeFd, target: 3 }, notifying] }))
    channel.waitSync()
    for (const pid of pids) {
      await untilState(pid, 'Z')
      expect(system.waitpid(pid, __WALL)?.status).toMatchObject({ kind: 'exited', code: 0 })
    }
  })
})
