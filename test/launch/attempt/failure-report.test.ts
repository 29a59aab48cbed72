/** What a launch that fails tells, where its child has no channel: the record is left in the memory that they share. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { constants } from '../../../lib/system/constants.ts'
import type { System } from '../../../lib/system/system.ts'
import { describeNative } from '../support/native.ts'

const { O_CLOEXEC, P_ALL, WEXITED, WNOWAIT } = constants

/** Launches of which each fails at another step. */
const failing: readonly [file: string, options: LaunchOptions, step: string][] = [
  ['/bin/missing', {}, 'execve'],
  ['/bin/true', { cwd: '/nowhere' }, 'chdir'],
  ['/bin/true', { affinity: [1023] }, 'affinity'],
]

const plain = { stdio: 'ignore', trace: 'traceme' } as const

/** The two numbers that the next pipe gets. */
function nextDescriptors(system: System): number[] {
  const ends = system.pipe2(O_CLOEXEC)
  for (const fd of ends) system.close(fd)
  return ends
}

function sharesItsRecords(system: System): void {
  it('opens no descriptor of its own', async () => {
    const before = nextDescriptors(system)
    const launched = launch('/bin/true', [], { ...plain, system })
    const meanwhile = nextDescriptors(system)
    await using tracee = await launched
    expect(meanwhile).toEqual(before)
    expect(nextDescriptors(system)).toEqual(before)
    tracee.cont()
    expect(await tracee.exited).toMatchObject({ code: 0 })
  })

  it('tells the step of its own child among many that fail at once', async () => {
    const launches = Array.from({ length: 60 }, (_, i) => failing[i % failing.length]!)
    const errors = await Promise.all(
      launches.map(([file, options]) => launch(file, [], { ...plain, ...options, system }).catch(error => error)),
    )
    expect(errors.map(error => error.step)).toEqual(launches.map(([, , step]) => step))
  })

  it('tells the step that failed where its System is wrapped by another', async () => {
    const wrapped = new Proxy(system, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    for (const [file, options, step] of failing) {
      await expect(launch(file, [], { ...plain, ...options, system: wrapped })).rejects.toMatchObject({ step })
    }
  })
}

describe('a traced launch without a gate (simulated)', () => {
  sharesItsRecords(new SimulatedKernel().host)
})

describeNative('a traced launch without a gate', system => {
  sharesItsRecords(system)

  it('that is aborted once its child has failed leaves the memory of that to the next ones', async () => {
    const mappings = () => readFileSync('/proc/self/maps', 'latin1').split('\n').length
    const before = mappings()
    for (let i = 0; i < 100; i++) {
      const aborted = new AbortController()
      const failed = launch('/bin/true', [], { ...plain, cwd: '/nowhere', system, signal: aborted.signal })
      system.waitid(P_ALL, 0, WEXITED | WNOWAIT)
      aborted.abort()
      await expect(failed).rejects.toThrow('aborted')
    }
    // Each child has a stack and its guard page; a few are kept. V8 maps some as well.
    expect(mappings() - before).toBeLessThan(100)
  })
})
