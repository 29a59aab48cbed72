/** Kills that would only repeat a schedule are left out, and nothing that could happen is. */

import { describe, expect, it } from 'vitest'
import { Kill } from '../../../lib/sim/explore/faults.ts'
import { Bounded } from '../../../lib/sim/explore/strategies/bounded.ts'
import { DepthFirst, type SearchOptions } from '../../../lib/sim/explore/strategies/depth-first.ts'
import type { Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { Scenario } from '../../../lib/sim/index.ts'
import type { Kernel } from '../../../lib/sim/kernel/kernel.ts'
import { Tracepoints } from '../../../lib/sim/kernel/tracepoints.ts'
import type { Process } from '../../../lib/sim/processes/process.ts'
import { isLong } from '../../support/rounds.ts'
import { historiesOf } from './histories.ts'
import { looksTwice, programs } from './programs.ts'

const scenarios: Record<string, Scenario> = {
  'two readers of one byte, until none can go on': ({ kernel, system }) => {
    const [read, write] = system.pipe2(0)
    for (let i = 0; i < 2; i++) {
      system.fork({
        actions: [
          { op: 'close', fd: write },
          { op: 'read', fd: read, bytes: 1 },
        ],
      })
    }
    kernel.settle()
    system.write(write, Uint8Array.of(1))
    kernel.settle()
    for (const fd of [write, read]) system.close(fd)
    for (let i = 0; i < 2; i++) system.waitpid(-1)
  },
  'calls that nothing but a look at all tasks follows': ({ kernel, system }) => {
    const pid = system.fork({ actions: [{ op: 'raise', signal: 'SIGSTOP' }] })
    kernel.settle()
    for (let i = 0; i < 2; i++) system.close(system.dup(0))
    if (kernel.blocked().length === 0) throw new Error('it was killed before the look')
    system.kill(pid, 'SIGCONT')
    system.waitpid(pid)
  },
  'a look at two children now, and after some time': world => looksTwice(world, () => {}),
}
for (const [name, program] of Object.entries(programs)) scenarios[name] = world => program(world, () => {})

/** Those that take a second. */
const slow = ['a look at two children now, and after some time', 'news of a tracee that is born']

const bounds: Readonly<Record<string, readonly [faults: number, make: (options: SearchOptions) => Strategy]>> = {
  'a fault, a preemption': [1, options => new DepthFirst(1, 1, { ...options, countsFewer: true })],
  'two faults': [2, options => new Bounded(0, 2, options)],
}

describe.each(Object.keys(bounds))('a search of %s', within => {
  const [faults, make] = bounds[within]!

  it.each(Object.keys(scenarios).filter(name => isLong || !slow.includes(name)))(
    'comes to the same histories and findings without kills that repeat a schedule: %s',
    async name => {
      const every = await historiesOf(scenarios[name]!, make({ repeatsKills: true }), faults)
      const fewer = await historiesOf(scenarios[name]!, make({}), faults)
      expect(fewer.histories).toEqual(every.histories)
      expect(every.histories.size).toBeGreaterThan(1)
      expect(fewer.schedules).toBeLessThanOrEqual(every.schedules)
    },
  )
})

/** Two choices of an actor that has nothing to do with two processes, or of a kill of one of these: the kills made. */
function killsMade(options: SearchOptions): string[] {
  const strategy = new DepthFirst(0, 2, { ...options, countsFewer: true })
  const made: string[] = []
  while (strategy.next()) {
    const trace = new Tracepoints()
    strategy.begin({ trace } as Kernel)
    let left = [101, 102].map(pid => new Kill(pid, { id: pid } as Process))
    const killed: number[] = []
    for (let i = 0; i < 2; i++) {
      const actors = [{ id: 1, label: '' }, ...left]
      const point = { kind: 'step', count: actors.length, plain: 1, fallback: 0, preempts: true, actors } as const
      const chosen = actors[strategy.choose(point)]!
      if (!(chosen instanceof Kill)) continue
      trace.moves?.(chosen, null)
      killed.push(chosen.id)
      left = left.filter(each => each !== chosen)
    }
    strategy.end()
    made.push(killed.join(' '))
  }
  return made.sort()
}

it('of two kills that nothing comes between, one order is left', () => {
  expect(killsMade({ repeatsKills: true })).toEqual(['', '101', '101', '101 102', '102', '102', '102 101'])
  expect(killsMade({})).toEqual(['', '101', '101 102', '102'])
})
