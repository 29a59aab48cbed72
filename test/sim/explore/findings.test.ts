import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { parseSchedule } from '../../../lib/sim/explore/schedule.ts'
import { explore, replay, type Scenario, type StrategyName } from '../../../lib/sim/index.ts'
import type { System } from '../system.ts'
import { exec } from '../world.ts'

const WNOHANG = 1

/** Two processes write a byte into a pipe if they find it empty. Both write if both look before either writes. */
const bothWrite: Scenario = ({ kernel, system }) => {
  const [read, write] = system.pipe2(0)
  kernel.install('/bin/writer', function* (process) {
    if ((yield* process.bytesReadable(read)) === 0) yield* process.write(write, Uint8Array.of(1))
  })
  const pids = [1, 2].map(() => system.fork({ actions: [exec('/bin/writer')] }))
  for (const pid of pids) system.waitpid(pid)
  const bytes = system.bytesReadable(read)
  system.close(read)
  system.close(write)
  if (bytes !== 1) throw new Error(`there are ${bytes} bytes`)
}

/** A child stops itself and is never continued. */
const stuck: Scenario = ({ system }) => {
  const pid = system.fork({ actions: [{ op: 'raise', signal: 'SIGSTOP' }, exec('/bin/true')] })
  system.waitpid(pid)
}

describe('a failure', () => {
  it.each<StrategyName>(['bounded', 'exhaustive', 'random', 'pct'])(
    'that needs one preemption is found by %s, and its schedule is shrunk to it',
    async strategy => {
      const { failure } = await explore(bothWrite, { strategy })
      expect(failure?.error.message).toContain('there are 2 bytes')
      expect(parseSchedule(failure!.schedule).deviations.length).toBeLessThanOrEqual(2)
      expect((await replay(bothWrite, failure!.schedule)).failure?.error.message).toBe(failure?.error.message)
    },
  )

  it('of a call that can never end is a deadlock, and names each wait', async () => {
    const { failure } = await explore(stuck)
    expect(failure?.kind).toBe('deadlock')
    expect(failure?.error.message).toMatch(/100 \(host\) waits for a child[\s\S]*101 .* is stopped/)
  })

  it('of a simulated program is an error of the schedule', async () => {
    const { failure } = await explore(({ kernel, system }) => {
      kernel.install('/bin/p', function* (process) {
        yield* process.close(0)
        throw new Error('the program is broken')
      })
      system.waitpid(system.fork({ actions: [exec('/bin/p')] }))
    })
    expect(failure).toMatchObject({ kind: 'error' })
    expect(failure?.error.message).toContain('the program is broken')
  })

  it('of a listener is an error of the schedule', async () => {
    const { failure } = await explore(async ({ system }) => {
      system.onChildChange(() => {
        throw new Error('the listener is broken')
      })
      const pid = system.fork({ actions: [] })
      await system.sleep(10)
      system.waitpid(pid)
    })
    expect(failure).toMatchObject({ kind: 'error' })
    expect(failure?.error.message).toContain('the listener is broken')
  })

  it('that is thrown and is no Error is reported all the same', async () => {
    const { failure } = await explore(() => {
      throw 'a string'
    })
    expect(failure?.error.message).toContain('a string')
  })

  it('is a leak when something is left, even if it ended without an error', async () => {
    const descriptor = await explore(({ system }) => void system.pipe2(0))
    expect(descriptor.failure).toMatchObject({ kind: 'leak' })
    const zombie = await explore(({ system }) => void system.fork({ actions: [] }))
    expect(zombie.failure).toMatchObject({ kind: 'leak' })
    expect(zombie.failure?.error.message).toContain('zombie')
  })

  it('is a race when nothing orders two accesses, whatever their values', async () => {
    const { failure } = await explore(({ kernel, system }) => {
      const cell = kernel.cell(0, 'counter')
      kernel.install('/bin/p', function* (process) {
        yield* process.store(cell, 1)
      })
      const pid = system.fork({ actions: [exec('/bin/p')] })
      cell.value = 2
      system.waitpid(pid)
    })
    expect(failure).toMatchObject({ kind: 'race' })
    expect(failure?.error.message).toContain('counter')
  })

  it('is what comes first of error, race and leak', async () => {
    const { failure } = await explore(({ system }) => {
      system.pipe2(0)
      throw new Error('first')
    })
    expect(failure?.kind).toBe('error')
  })
})

describe('a run', () => {
  it('that polls for its child ends under every schedule within the bounds', async () => {
    const report = await explore(
      ({ system }) => {
        const pid = system.fork({ actions: [exec('/bin/true')] })
        while (system.waitpid(pid, WNOHANG) === null) {}
      },
      { preemptions: 1 },
    )
    expect(report).toMatchObject({ complete: true })
    expect(report.failure).toBeUndefined()
  })

  it('without end is an error', async () => {
    const { failure } = await explore(({ system }) => {
      for (;;) system.dup3(0, 3)
    })
    expect(failure).toMatchObject({ kind: 'error', error: { code: 'ERR_ENDLESS_RUN' } })
  })

  it('that waits for a time without letting it pass is without end', async () => {
    const { failure } = await explore(({ system }) => {
      while (system.now() < 100) {}
    })
    expect(failure).toMatchObject({ kind: 'error', error: { code: 'ERR_ENDLESS_RUN' } })
    expect(failure?.error.message).toContain('simulated time passes only while every task waits')
  })

  it('of another scenario than the schedule was recorded of is not deterministic', async () => {
    const { failure } = await explore(bothWrite)
    const other = await replay(stuck, failure!.schedule)
    const { schedule } = failure!
    expect(other.failure).toMatchObject({ kind: 'nondeterminism', schedule, error: { code: 'ERR_NONDETERMINISM' } })
  })

  it('that is over takes no more calls of what is left of its host', async () => {
    const worlds: System[] = []
    await explore(({ system }) => {
      worlds.push(system)
    })
    expect(worlds.length).toBeGreaterThan(0)
    for (const system of worlds) {
      expect(() => system.dup(0)).toThrow(expect.objectContaining({ code: 'ERR_WORLD_OVER' }))
    }
  })
})

describe('a program that is left asleep when the scenario is over', () => {
  it.each<[string, (seconds: string, system: System) => unknown]>([
    ['forked', (seconds, system) => system.fork({ actions: [exec('/bin/sleep', seconds)] })],
    ['launched', (seconds, system) => launch('/bin/sleep', [seconds], { system, trace: false, stdio: 'ignore' })],
  ])('is still running: %s', async (_, start) => {
    const { failure } = await explore(async ({ system }) => {
      await start('1000', system)
    })
    expect(failure).toMatchObject({ kind: 'leak', error: { leaks: [{ program: '/bin/sleep', state: 'running' }] } })
    expect(failure?.error.message).toContain('is still running: it sleeps until 1000000 ms')
    expect(failure?.timeline.events.at(-1)?.atMs).toBe(0)
  })

  it('is waited for by what the scenario left, which sleeps as well', async () => {
    const { failure } = await explore(({ system }) => {
      const pid = system.fork({ actions: [exec('/bin/sleep', '1')] })
      void system.sleep(2000).then(() => system.waitpid(pid))
    })
    expect(failure).toBeUndefined()
  })
})

// endless.long.test.ts has what waits for one.
describe('a program that never ends', () => {
  it('is left behind at once when the scenario is over', async () => {
    let moves = 0
    const { failure } = await explore(({ kernel, system }) => {
      kernel.install('/bin/daemon', function* (process) {
        for (; ; moves++) yield* process.sleep(100)
      })
      system.fork({ actions: [exec('/bin/daemon')] })
    })
    expect(moves).toBe(0)
    expect(failure).toMatchObject({ kind: 'leak', error: { leaks: [{ program: '/bin/daemon', state: 'running' }] } })
  })
})

describe('what a scenario leaves running outside its world', () => {
  let pending = 0
  const leavesTimer: Scenario = ({ system }) => {
    pending++
    setTimeout(() => {
      pending--
      system.close(system.dup(0))
    }, 1)
  }

  it('and calls that world when its run is over is not deterministic', async () => {
    let runs = 0
    let isDone = false
    const callsFromTheNextRun: Scenario = ({ system }) => {
      const run = ++runs
      const late = () => {
        if (runs > run) system.close(system.dup(0))
        else if (!isDone) setTimeout(late, 0)
      }
      setTimeout(late, 0)
    }
    const { failure } = await explore(callsFromTheNextRun, { strategy: 'random', maxSchedules: 10_000 })
    isDone = true
    expect(failure).toMatchObject({ kind: 'nondeterminism', error: { code: 'ERR_NONDETERMINISM' } })
    expect(failure?.error.message).toContain('the run of this simulated system has ended')
  })

  it('is no failure of the exploration after it', async () => {
    await explore(leavesTimer)
    expect(pending).toBeGreaterThan(0)
    while (pending > 0) expect((await explore(({ system }) => system.close(system.dup(0)))).failure).toBeUndefined()
  })
})

describe('what explore() reports', () => {
  it('has the same counts each time', async () => {
    const counts = async () => {
      const reports = [await explore(stuck), await explore(bothWrite, { preemptions: 0 })]
      return reports.map(({ schedules, failure }) => [schedules, failure?.schedule])
    }
    expect(await counts()).toEqual(await counts())
  })

  it('includes its progress from time to time, and at its end', async () => {
    const told: number[] = []
    const { schedules } = await explore(({ system }) => system.close(system.dup(0)), {
      strategy: 'random',
      maxSchedules: 50,
      onProgress: ({ schedules: done }) => told.push(done),
    })
    expect(schedules).toBe(50)
    expect(told.at(-1)).toBe(50)
  })

  it('stops at maxSchedules, and is not complete then', async () => {
    expect(await explore(bothWrite, { preemptions: 0, maxSchedules: 1 })).toMatchObject({
      schedules: 1,
      complete: false,
    })
  })
})
