/**
 * A Channel among the child's descriptors. A write by the program notifies. The program's end is the Channel's
 * end of file.
 */

import { closeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Channel } from '../../../lib/launch/channel/channel.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { type Program, SimulatedKernel } from '../../../lib/sim/index.ts'
import type { System } from '../../../lib/system/system.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const notifiesTwice: Program = function* (process) {
  yield* process.write(3, Uint8Array.of(1))
  yield* process.write(3, Uint8Array.of(1))
  return 0
}

interface World {
  readonly system: System
  /** Writes two bytes to descriptor 3. */
  readonly program: readonly [file: string, args: readonly string[]]
}

const missing = '/no/such/program'

function channelsOf(world: () => World): void {
  it.each(modes)('gets what the program writes, then its end of file ($name)', async mode => {
    const { system, program } = world()
    using channel = Channel.open({ system })
    await using child = await launch(...program, {
      ...optionsOf(mode),
      system,
      stdio: ['ignore', 'ignore', 'ignore', channel],
    })
    expect(child.stdio).toEqual([null, null, null, null])
    expect(channel.writeFd).toBe(-1)
    if (child instanceof Tracee) child.cont()
    await channel.wait()
    await channel.wait()
    await expect(channel.wait()).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
  })

  it('of kind socketpair serves as well', async () => {
    const { system, program } = world()
    using channel = Channel.open({ system, kind: 'socketpair' })
    await using _child = await launch(...program, {
      system,
      trace: false,
      stdio: ['ignore', 'ignore', 'ignore', channel],
    })
    await channel.wait()
    await channel.wait()
    await expect(channel.wait()).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
  })

  it('may be several of the descriptors', async () => {
    const { system, program } = world()
    using channel = Channel.open({ system })
    const stdio = [channel, 'ignore', channel, channel] as const
    await using _child = await launch(...program, { system, trace: false, stdio })
    await channel.wait()
    await channel.wait()
    await expect(channel.wait()).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' })
  })

  it('is left as it was by a launch that fails', async () => {
    const { system } = world()
    using channel = Channel.open({ system })
    const { writeFd } = channel
    await expect(launch(missing, [], { system, stdio: ['ignore', 'ignore', 'ignore', channel] })).rejects.toMatchObject(
      { code: 'ENOENT' },
    )
    expect(channel.writeFd).toBe(writeFd)
    channel.notify()
    await channel.wait()
  })

  it('without a write end is refused', async () => {
    const { system, program } = world()
    using channel = Channel.open({ system })
    channel.closeWrite()
    const launching = launch(...program, { system, stdio: ['ignore', 'ignore', 'ignore', channel] })
    await expect(launching).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  it('of another System is refused', async () => {
    const { system, program } = world()
    using channel = Channel.open({ system: new SimulatedKernel().host })
    const launching = launch(...program, { system, stdio: ['ignore', 'ignore', 'ignore', channel] })
    await expect(launching).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })
}

describeNative('a Channel in stdio', system => {
  channelsOf(() => ({ system, program: ['/bin/sh', ['-c', 'printf 12 >&3']] }))

  it('whose write end other code has closed fails with EBADF', async () => {
    using channel = Channel.open({ system })
    const given = Channel.fromFds({ write: system.dup(channel.writeFd) }, { system })
    closeSync(given.writeFd)
    const launching = launch('/bin/true', [], { system, stdio: ['ignore', 'ignore', 'ignore', given] })
    await expect(launching).rejects.toMatchObject({ code: 'EBADF', step: 'dup2' })
    expect(() => given.close()).toThrow('EBADF')
  })
})

describe('a Channel in the stdio of a simulated launch', () => {
  channelsOf(() => ({
    system: new SimulatedKernel({ programs: { '/notifies': notifiesTwice } }).host,
    program: ['/notifies', []],
  }))
})
