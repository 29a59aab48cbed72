import { describe, expect, it } from 'vitest'
import { explore, replay, type Scenario } from '../../../lib/sim/index.ts'
import { exec } from '../world.ts'

const WNOHANG = 1

/** The race of traceme and waitpid: the child may not have called traceme when the parent looks. */
const race: Scenario = ({ system }) => {
  const pid = system.fork({ actions: [{ op: 'traceme' }, exec('/bin/true')] })
  const result = system.waitpid(pid, WNOHANG)
  if (result === null) throw new Error('nothing to wait for yet')
}

/** The same with a handshake, which removes the race. */
const handshake: Scenario = ({ system }) => {
  const [read, write] = system.pipe2(0)
  const data = Uint8Array.of(1)
  const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'write', fd: write, data }, exec('/bin/true')] })
  system.close(write)
  system.read(read, new Uint8Array(1))
  system.close(read)
  if (system.waitpid(pid)?.status.kind !== 'stopped') throw new Error('not stopped')
  system.ptraceCont(pid)
  if (system.waitpid(pid)?.status.kind !== 'exited') throw new Error('not ended')
}

describe('explore', () => {
  it('runs every schedule within the bounds of a scenario that is right', async () => {
    const report = await explore(handshake)
    expect(report).toMatchObject({ complete: true })
    expect(report.failure).toBeUndefined()
    expect(report.schedules).toBeGreaterThan(10)
  })

  it('reports the schedule under which a scenario throws, and replay throws the same', async () => {
    const { failure } = await explore(race)
    expect(failure?.kind).toBe('error')
    expect(failure?.error.message).toContain('nothing to wait for yet')
    expect(failure?.error.message).toContain(`replay(scenario, '${failure?.schedule}')`)
    const again = await replay(race, failure!.schedule)
    expect(again.failure?.kind).toBe('error')
    expect(again.failure?.schedule).toBe(failure?.schedule)
    expect(String(again.failure?.timeline)).toBe(String(failure?.timeline))
  })

  it('says that a scenario awaiting what never comes is a deadlock', async () => {
    const { failure } = await explore(async ({ system }) => {
      const [read] = system.pipe2(0)
      await system.ready(read, 1)
    })
    expect(failure?.kind).toBe('deadlock')
  })

  it('says that a scenario awaiting something outside its world is not deterministic', async () => {
    const { failure } = await explore(() => new Promise(resolve => setTimeout(resolve, 500)))
    expect(failure?.kind).toBe('nondeterminism')
    expect(failure?.error.message).toContain('outside')
  })

  it('says that a scenario which runs differently each time is not deterministic', async () => {
    let runs = 0
    const { failure } = await explore(({ system }) => {
      if (runs++ % 2 > 0) system.dup(0)
    })
    expect(failure?.kind).toBe('nondeterminism')
  })

  it('names the call that was another when a schedule was run again', async () => {
    let runs = 0
    const { failure } = await explore(({ system }) => {
      const [read, write] = system.pipe2()
      if (runs++ % 2 > 0) system.write(write, Uint8Array.of(1))
      system.close(read)
      system.close(write)
    })
    expect(failure).toMatchObject({ kind: 'nondeterminism' })
    expect(failure?.error.message).toContain(
      'event 2 was 100 (host): close(3) first, and 100 (host): write(4, 1 byte) when it was repeated',
    )
  })

  it.each([1, 3])('says that a failure of run %i which does not come again is not deterministic', async failing => {
    let runs = 0
    const { failure } = await explore(({ system }) => {
      system.waitpid(system.fork({ actions: [{ op: 'exit', code: 0 }] }))
      if (++runs === failing) throw new RangeError('not again')
    })
    expect(failure).toMatchObject({ kind: 'nondeterminism', error: { code: 'ERR_NONDETERMINISM' } })
    expect(failure?.error.message).toContain(
      'ended with error (RangeError: not again) first, and with no failure when it was repeated',
    )
  })

  it('says that a failure which is another each time is not deterministic', async () => {
    let runs = 0
    const { failure } = await explore(() => {
      if (runs++ % 2 === 0) throw new Error('even')
      throw new TypeError('odd')
    })
    expect(failure).toMatchObject({ kind: 'nondeterminism' })
  })

  it('takes an unhandled rejection as the error of the schedule it happens in', async () => {
    const { failure } = await explore(async () => {
      void Promise.reject(new Error('nobody handles this'))
    })
    expect(failure?.kind).toBe('error')
    expect(failure?.error.message).toContain('nobody handles this')
  })

  it('takes the same schedules from the same seed', async () => {
    const run = () => explore(race, { strategy: 'random', seed: 7 })
    const [first, second] = [await run(), await run()]
    expect(second.failure?.schedule).toBe(first.failure?.schedule)
    expect(second.schedules).toBe(first.schedules)
  })

  it('stops when it is aborted, with the reason', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const exploring = explore(handshake, {
      strategy: 'random',
      maxSchedules: 1e9,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    })
    await expect(exploring).rejects.toBe(reason)
  })

  it('refuses options it does not know, and schedules that are none', async () => {
    await expect(explore(race, { bound: 2 } as object)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    await expect(explore(race, { preemptions: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    await expect(explore(race, { maxSchedules: 2.5 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    await expect(replay(race, 'no schedule')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    const whole = await replay(race, 'no schedule'.repeat(100_000)).catch((error: Error) => error.message)
    expect(String(whole).length).toBeLessThan(500)
  })

  it('refuses a generator as a scenario, which would run nothing', async () => {
    const generators: readonly unknown[] = [function* () {}, async function* () {}]
    for (const scenario of generators) {
      await expect(explore(scenario as Scenario)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
      await expect(replay(scenario as Scenario, '1:0+0')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    }
  })
})
