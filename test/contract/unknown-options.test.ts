/** An unknown option is refused by name: a misspelt one would otherwise be silently ignored. */

import { describe, expect, it } from 'vitest'
import { Channel } from '../../lib/launch/channel/channel.ts'
import { launch } from '../../lib/launch/launch.ts'
import { explore, SimulatedKernel } from '../../lib/sim/index.ts'
import type { System } from '../../lib/system/system.ts'
import { describeContract } from './suite.ts'

const refusal = (name: string) => ({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining(name) })

async function refused(call: () => unknown, name: string): Promise<void> {
  await expect((async () => call())()).rejects.toMatchObject(refusal(name))
}

describeContract(
  'an unknown option',
  world => {
    it.for<[string, (system: System, wrong: never) => unknown]>([
      ['ready', (system, wrong) => system.ready(0, 1, wrong)],
      ['sleep', (system, wrong) => system.sleep(0, wrong)],
      ['onChildChange', (system, wrong) => system.onChildChange(() => {}, wrong)],
      ['Channel.open', (system, wrong) => Channel.open({ system, ...(wrong as object) })],
      ['Channel.fromFds', (system, wrong) => Channel.fromFds({ read: 0 }, { system, ...(wrong as object) })],
      ['launch', (system, wrong) => launch('/bin/true', [], { system, ...(wrong as object) })],
      ['fork', (system, wrong) => system.fork({ actions: [], ...(wrong as object) })],
    ])('of %s is refused', async ([, call]) => {
      await refused(() => call(world.system, { tiemout: 5 } as never), 'tiemout')
      await refused(() => call(world.system, { tiemout: undefined } as never), 'tiemout')
    })

    it('of a wait is refused, which would have no end', async () => {
      using channel = Channel.open({ system: world.system })
      await refused(() => channel.wait({ timeout: 5 } as never), 'options.timeout')
      await refused(() => Channel.fromFds({ read: channel.readFd, wirte: 5 } as never, world), 'fds.wirte')
      await using tracee = await launch(world.programs.true, [], { system: world.system, stdio: 'ignore' })
      await refused(() => tracee.wait({ timeout: 5 } as never), 'options.timeout')
      expect(await tracee.wait({ timeoutMs: 5, signal: undefined })).toMatchObject({ event: 'exec' })
    })
  },
  { tracing: true },
)

describe('an unknown option of a simulated world', () => {
  it('is refused', async () => {
    await refused(() => new SimulatedKernel({ sede: 5 } as never), 'options.sede')
    await refused(() => new SimulatedKernel({ limits: { nofiles: 5 } } as never), 'options.limits.nofiles')
    await refused(() => explore(() => {}, { preemption: 1 } as never), 'options.preemption')
  })
})
