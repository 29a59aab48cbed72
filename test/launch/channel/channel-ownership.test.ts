/** A Channel closes its descriptors exactly once. */

import { closeSync, fstatSync, openSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import type { System } from '../../../lib/system/system.ts'
import { openDescriptors } from '../../support/process-table.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'

/** The system, and the descriptors closed through it. */
function countingCloses(system: System): { system: System; closed: number[] } {
  const closed: number[] = []
  const close = (fd: number) => {
    closed.push(fd)
    system.close(fd)
  }
  return { system: withCalls(system, { close }), closed }
}

describeNative('the descriptors of a channel', system => {
  it('are closed once, however often and in whatever order the closes are called', () => {
    const counting = countingCloses(system)
    const channel = Channel.open({ system: counting.system })
    const { readFd, writeFd } = channel
    channel.closeRead()
    channel.closeRead()
    channel.close()
    channel.closeWrite()
    channel[Symbol.dispose]()
    expect(counting.closed).toEqual([readFd, writeFd])
  })

  it('are not closed again when their number has been reused', () => {
    const channel = Channel.open({ system })
    const { readFd, writeFd } = channel
    channel.close()
    const others = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')]
    expect(others).toEqual(expect.arrayContaining([readFd, writeFd]))
    channel.close()
    channel.closeRead()
    channel.closeWrite()
    channel[Symbol.dispose]()
    for (const fd of others) {
      expect(fstatSync(fd).isCharacterDevice()).toBe(true)
      closeSync(fd)
    }
  })

  it('are closed at the end of a using block', () => {
    const before = openDescriptors()
    {
      using channel = Channel.open({ system })
      expect(openDescriptors().size).toBe(before.size + 2)
      expect(channel.readFd).toBeGreaterThan(2)
    }
    expect(openDescriptors()).toEqual(before)
  })

  it('are -1 once closed, each for itself', () => {
    using channel = Channel.open({ system })
    channel.closeWrite()
    expect(channel.writeFd).toBe(-1)
    expect(channel.readFd).toBeGreaterThan(2)
  })

  it('may be one only: a read end', async () => {
    const [read, write] = system.pipe2(0)
    using channel = Channel.fromFds({ read }, { system })
    expect([channel.readFd, channel.writeFd]).toEqual([read, -1])
    expect(() => channel.notify()).toThrow(expect.objectContaining({ code: 'ERR_CHANNEL_CLOSED' }))
    system.write(write, Uint8Array.of(7))
    await channel.wait()
    system.close(write)
  })

  it('may be one only: a write end', async () => {
    const [read, write] = system.pipe2(0)
    using channel = Channel.fromFds({ write }, { system })
    expect([channel.readFd, channel.writeFd]).toEqual([-1, write])
    channel.notify()
    expect(system.read(read, new Uint8Array(8))).toBe(1)
    await expect(channel.wait()).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
    system.close(read)
  })

  it('may be the same one for both directions, which is closed once', async () => {
    const counting = countingCloses(system)
    const [mine, theirs] = system.socketpair(1, 1)
    const here = Channel.fromFds({ read: mine, write: mine }, { system: counting.system })
    const there = Channel.fromFds({ read: theirs, write: theirs }, { system: counting.system })
    here.notify()
    await there.wait()
    there.notify()
    await here.wait()
    here.closeRead()
    expect([here.readFd, here.writeFd]).toEqual([-1, -1])
    here.closeWrite()
    here.close()
    there.close()
    expect(counting.closed).toEqual([mine, theirs])
  })

  it.each([
    ['no end at all', {}, 'ERR_INVALID_ARG_VALUE'],
    ['a string', { read: '3' }, 'ERR_INVALID_ARG_TYPE'],
    ['a fraction', { write: 1.5 }, 'ERR_OUT_OF_RANGE'],
    ['a number beyond 32 bits', { read: 2 ** 40 }, 'ERR_OUT_OF_RANGE'],
    ['null', null, 'ERR_INVALID_ARG_TYPE'],
  ])('are refused when they are %s', (_, fds, code) => {
    expect(() => Channel.fromFds(fds as never, { system })).toThrow(expect.objectContaining({ code }))
  })

  it('that are not open fail with the kernel’s EBADF', async () => {
    const fd = 1_000_000
    const channel = Channel.fromFds({ read: fd, write: fd }, { system })
    const badDescriptor = expect.objectContaining({ code: 'EBADF' })
    expect(() => channel.notify()).toThrow(badDescriptor)
    expect(() => channel.waitSync()).toThrow(badDescriptor)
    await expect(channel.wait()).rejects.toEqual(badDescriptor)
    expect(() => channel.close()).toThrow(badDescriptor)
    channel.close()
  })

  it.each([['tube'], [5], [null]])('are not opened for the kind %s', kind => {
    expect(() => Channel.open({ kind: kind as never, system })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
  })
})

const skip = whyNot('true')

describeNative(`a channel that was never closed${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  const collect = `
    const collected = async () => {
      for (let i = 0; i < 200; i++) { globalThis.gc(); await new Promise(resolve => setTimeout(resolve, 1)); if (warnings.length > 1) return }
    }
    const warnings = []
    process.on('warning', warning => warnings.push({ name: warning.name, code: warning.code }))
  `

  it.skipIf(skip !== undefined)('is closed when it is collected, with a warning for each descriptor', async () => {
    const script = `${collect}
      const openPipes = () => descriptors().filter(([fd, target]) => fd > 2 && target.startsWith('pipe:')).map(String)
      const before = openPipes()
      void (() => { Channel.open() })()
      const opened = openPipes().filter(each => !before.includes(each))
      await collected()
      const left = openPipes()
      report({ opened: opened.length, left: opened.filter(each => left.includes(each)), warnings })`
    const ran = await runNode(script, { flags: ['--expose-gc'] })
    const warning = { name: 'TracegateWarning', code: 'TRACEGATE_FD_FORGOTTEN' }
    expect(ran.reports).toEqual([{ opened: 2, left: [], warnings: [warning, warning] }])
  })

  it.skipIf(skip !== undefined)('but was disposed of is collected in silence', async () => {
    const script = `${collect}
      void (() => { const channel = Channel.open(); channel.close() })()
      let isCollected = false
      const registry = new FinalizationRegistry(() => { isCollected = true })
      void (() => { const channel = Channel.open(); registry.register(channel, 0); channel.close() })()
      for (let i = 0; i < 200 && !isCollected; i++) { globalThis.gc(); await new Promise(resolve => setTimeout(resolve, 1)) }
      report({ isCollected, warnings })`
    const ran = await runNode(script, { flags: ['--expose-gc'] })
    expect(ran.reports).toEqual([{ isCollected: true, warnings: [] }])
  })

  it.skipIf(skip !== undefined)(
    'over descriptors that are not open does not crash the process when it is collected',
    async () => {
      const script = `${collect}
      void (() => { Channel.fromFds({ read: -1, write: 900 }) })()
      await collected()
      report('alive')`
      const ran = await runNode(script, { flags: ['--expose-gc'] })
      expect(ran).toMatchObject({ code: 0, reports: ['alive'] })
    },
  )
})
