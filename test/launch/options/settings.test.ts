/** Options that set what a program may use: masks, limits, priority, CPUs, memory layout. It looks from inside. */

import { getPriority } from 'node:os'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { ResourceLimits } from '../../../lib/launch/options/options.ts'
import { type ResourceName, resourceNumbers } from '../../../lib/system/resources.ts'
import { hasCapability } from '../support/capabilities.ts'
import { whyNoCompiler } from '../support/compile.ts'
import { compileInside, type Inside, lookInside } from '../support/look-inside.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const title = `a launched program${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const noRandomize = 0x40000

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('looks at itself', () => {})
  const program = compileInside()
  const inherited = () => lookInside(program, { trace: false })

  it.each(modes)('has the umask that is asked for ($name)', async mode => {
    for (const umask of [0, 0o077, 0o777]) {
      expect((await lookInside(program, { ...optionsOf(mode), umask })).umask).toBe(umask)
    }
  })

  it.each(Object.entries(resourceNumbers) as [ResourceName, number][])(
    'has the limit of %s that is asked for',
    async (resource, number) => {
      const [, hard] = (await inherited()).limits[number]!
      // An ordinary user can lower hard limits; what is in force for its priority stays as it is.
      const most = hard === -1 ? 1 << 30 : hard
      // Below these sizes no program starts: its image, its stack.
      const soft = Math.min(most, resource === 'nofile' ? 64 : 1 << 29)
      const limits = async (rlimits: ResourceLimits) => (await lookInside(program, { rlimits })).limits[number]
      expect(await limits({ [resource]: [soft, most] })).toEqual([soft, most])
      expect(await limits({ [resource]: soft })).toEqual([soft, soft])
      if (hard !== -1) return
      const unlimited = resource === 'nofile' ? [] : [Number.POSITIVE_INFINITY, 'unlimited' as const]
      for (const none of unlimited) {
        expect(await limits({ [resource]: [soft, none] })).toEqual([soft, -1])
        expect(await limits({ [resource]: none })).toEqual([-1, -1])
      }
    },
  )

  it.each(modes)('has several limits at once, the others as they were ($name)', async mode => {
    const before = await inherited()
    const { limits } = await lookInside(program, { ...optionsOf(mode), rlimits: { nofile: [20, 30], core: 0 } })
    const wanted = before.limits.with(resourceNumbers.nofile, [20, 30]).with(resourceNumbers.core, [0, 0])
    expect(limits).toEqual(wanted)
  })

  it('may have a limit of more than 32 bits', async () => {
    const before = (await inherited()).limits[resourceNumbers.as]!
    if (before[1] !== -1) return
    const { limits } = await lookInside(program, { rlimits: { as: [2 ** 40 + 4096, 2 ** 41] } })
    expect(limits[resourceNumbers.as]).toEqual([2 ** 40 + 4096, 2 ** 41])
  })

  it.each(modes)('has the nice value that is asked for ($name)', async mode => {
    const nice = Math.min(19, getPriority() + 3)
    expect((await lookInside(program, { ...optionsOf(mode), nice })).nice).toBe(nice)
    expect((await inherited()).nice).toBe(getPriority())
  })

  it.runIf(hasCapability('CAP_SYS_NICE'))('may have a lower nice value with the capability for it', async () => {
    expect((await lookInside(program, { nice: -5 })).nice).toBe(-5)
  })

  it.runIf(hasCapability('CAP_SYS_RESOURCE'))('may have a lower score with the capability for it', async () => {
    expect((await lookInside(program, { oomScoreAdj: -10 })).oomScoreAdj).toBe('-10')
  })

  it.each(modes.filter(({ memory }) => memory === 'copied'))(
    'has the score that is asked for, and this process keeps its own ($name)',
    async ({ trace }) => {
      expect((await lookInside(program, { trace, oomScoreAdj: 500 })).oomScoreAdj).toBe('500')
      expect((await lookInside(program, { trace, oomScoreAdj: 1000, memory: 'copied' })).oomScoreAdj).toBe('1000')
      expect((await inherited()).oomScoreAdj).not.toBe('500')
    },
  )

  it.each(modes)('runs on the CPUs that are asked for ($name)', async mode => {
    const { cpus } = await inherited()
    const last = cpus.at(-1)!
    expect((await lookInside(program, { ...optionsOf(mode), affinity: [last] })).cpus).toEqual([last])
    expect((await lookInside(program, { ...optionsOf(mode), affinity: [...cpus, 8191] })).cpus).toEqual(cpus)
  })

  it.each(modes)('has a fixed memory layout without ASLR ($name)', async mode => {
    const { personality } = await lookInside(program, { ...optionsOf(mode), aslr: false })
    expect(personality & noRandomize).toBe(noRandomize)
    const before = (await inherited()).personality
    expect((await lookInside(program, { ...optionsOf(mode), aslr: true })).personality).toBe(before & ~noRandomize)
  })

  it.each(modes)('gains no privileges where that is asked for ($name)', async mode => {
    expect((await lookInside(program, { ...optionsOf(mode), noNewPrivileges: true })).noNewPrivileges).toBe(1)
    const before = (await inherited()).noNewPrivileges
    expect((await lookInside(program, { ...optionsOf(mode), noNewPrivileges: false })).noNewPrivileges).toBe(before)
  })

  it.each(modes)('is in a process group of its own, or in another one ($name)', async mode => {
    const own = await lookInside(program, { ...optionsOf(mode), processGroup: 0 })
    expect([own.group, own.session === own.pid]).toEqual([own.pid, false])
    await using leader = await launch('/bin/sleep', ['60'], { trace: false, stdio: 'ignore', processGroup: 0 })
    const member = await lookInside(program, { ...optionsOf(mode), processGroup: leader.pid })
    expect(member.group).toBe(leader.pid)
  })

  it.each(modes)('dies with its parent by the signal that is asked for ($name)', async mode => {
    expect((await lookInside(program, { ...optionsOf(mode), parentDeathSignal: 'SIGUSR1' })).parentDeathSignal).toBe(10)
    expect((await lookInside(program, optionsOf(mode))).parentDeathSignal).toBe(0)
  })

  it.each(modes)('may name a tracer, whether there is Yama or not ($name)', async mode => {
    for (const tracer of ['any', process.pid] as const) {
      const inside: Inside = await lookInside(program, { ...optionsOf(mode), tracer })
      expect(inside.parent).toBe(process.pid)
    }
  })
})
