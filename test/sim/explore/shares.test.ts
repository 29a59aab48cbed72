/** An exploration in shares, or in one search: together they are the whole, and no schedule is in two. */

import { describe, expect, it } from 'vitest'
import { exploreWith } from '../../../lib/sim/explore/explore.ts'
import { planOf } from '../../../lib/sim/explore/plan.ts'
import { Bounded } from '../../../lib/sim/explore/strategies/bounded.ts'
import { DepthFirst, type Share } from '../../../lib/sim/explore/strategies/depth-first.ts'
import type { Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { Scenario } from '../../../lib/sim/index.ts'
import { exec } from '../world.ts'

const scenarios: Readonly<Record<string, Scenario>> = {
  'a child that writes and ends': ({ system }) => {
    const [read, write] = system.pipe2(0)
    const pid = system.fork({ actions: [{ op: 'write', fd: write, data: Uint8Array.of(1, 2) }, exec('/bin/true')] })
    system.close(write)
    system.waitpid(pid)
    system.read(read, new Uint8Array(2))
  },
  'two children, waited for at once': ({ system }) => {
    for (const code of [1, 2]) system.fork({ actions: [{ op: 'exit', code }] })
    for (let i = 0; i < 2; i++) system.waitpid(-1)
  },
}

/** The choices of every schedule that counts. A call that fails ends the scenario: that is no finding here. */
async function schedulesOf(scenario: Scenario, faults: number, strategy: Strategy): Promise<string[]> {
  const schedules: string[] = []
  let choices: number[] = []
  const counted: Strategy = {
    next: () => strategy.next(),
    begin: kernel => strategy.begin?.(kernel),
    choose(point) {
      const chosen = strategy.choose(point)
      choices.push(chosen)
      return chosen
    },
    end() {
      const counts = strategy.end()
      if (counts) schedules.push(choices.join(','))
      choices = []
      return counts
    },
    get difference() {
      return strategy.difference
    },
    coversAll: forced => strategy.coversAll(forced),
  }
  const forgiving: Scenario = world => {
    try {
      scenario(world)
    } catch {}
  }
  const report = await exploreWith(forgiving, planOf({ faults }), counted, () => undefined)
  expect(report.failure?.error).toBeUndefined()
  expect(report).toMatchObject({ complete: true, schedules: schedules.length })
  return schedules
}

const strategies: Readonly<Record<string, readonly [faults: number, make: (share?: Share) => Strategy]>> = {
  'every schedule with a fault at most': [1, share => new DepthFirst(Number.POSITIVE_INFINITY, 1, share && { share })],
  'two faults, no preemption': [2, share => new Bounded(0, 2, share && { share })],
  'two faults at most, in one search': [
    2,
    share => new DepthFirst(0, 2, { countsFewer: true, ...(share && { share }) }),
  ],
  'a fault, a preemption': [1, share => new Bounded(1, 1, share && { share })],
}

describe.each(Object.keys(scenarios))('the shares of %s', name => {
  it.each(Object.keys(strategies))('are disjoint, and together are the whole: %s', async strategy => {
    const [faults, make] = strategies[strategy]!
    const all = await schedulesOf(scenarios[name]!, faults, make())
    expect(new Set(all).size).toBe(all.length)
    for (const of of [1, 2, 3]) {
      const shares: string[][] = []
      for (let index = 0; index < of; index++) {
        shares.push(await schedulesOf(scenarios[name]!, faults, make({ index, of })))
      }
      for (const share of shares) expect(share.length).toBeGreaterThan(0)
      expect(shares.flat().sort()).toEqual([...all].sort())
    }
  })
})

describe.each(Object.keys(scenarios))('one search of %s', name => {
  it('has the schedules of the rounds of fewer faults, too', async () => {
    const inRounds = await schedulesOf(scenarios[name]!, 2, new Bounded(0, 2))
    const atOnce = await schedulesOf(scenarios[name]!, 2, new DepthFirst(0, 2, { countsFewer: true }))
    expect(atOnce.sort()).toEqual(inRounds.sort())
  })
})
