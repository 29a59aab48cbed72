/** stopAll(), contAll(), detach() and handOff() of many threads. */

import { execFile, execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { rounds } from '../../support/rounds.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { hitAll, passOn, startThreads, untilReady } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'

const title = `many threads at once${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const gdb = whyNot('gdb')
const ways = tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow })))

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('are stopped', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'many-threads', ['-pthread'])

  const tasks = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number)
  const states = (pid: number) => new Set(tasks(pid).map(stateOf))

  /** Blocks the event loop. */
  const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

  it.each(ways)('are stopped and go on, busy as they are ($trace, follow $follow)', async ({ trace, follow }) => {
    const started = await startThreads(program, ['20', 'spin'], { trace, follow })
    await using tracee = started.tracee
    await untilReady(started)
    started.stops.length = 0
    for (let round = 0; round < rounds(2, 5); round++) {
      await tracee.stopAll({ timeoutMs: 10_000 })
      expect(states(tracee.pid)).toEqual(new Set('t'))
      expect(tracee.stop).toMatchObject({ event: 'stop', reason: 'interrupt' })
      tracee.contAll()
      expect(tracee.stop).toBeNull()
      await until('they run', () => states(tracee.pid).has('R'))
    }
    expect(started.stops, 'no listener gets its stops').toEqual([])
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(ways)('are stopped once, though late to be noticed ($trace, follow $follow)', async ({ trace, follow }) => {
    const started = await startThreads(program, ['20', 'spin'], { trace, follow })
    await using tracee = started.tracee
    await untilReady(started)
    started.stops.length = 0
    for (let round = 0; round < rounds(1, 3); round++) {
      // After an immediate, timers are next, before SIGCHLD.
      await new Promise(resolve => setImmediate(resolve))
      const stopped = tracee.stopAll({ timeoutMs: 10_000 })
      // Longer than the time after which a SIGSTOP is sent anew.
      block(100)
      await stopped
      tracee.contAll()
      await until('they run', () => states(tracee.pid).has('R'))
    }
    await tracee.stopAll({ timeoutMs: 10_000 })
    expect(started.stops).toEqual([])
    await tracee.detach()
    expect(states(tracee.pid), 'none is stopped by what was sent').not.toContain('T')
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('are stopped, and those at stops of their own stay there (%s)', async trace => {
    const started = await startThreads(program, ['3'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    tracee.cont()
    const births = []
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.reason === 'birth') births.push(thread)
      else thread.cont()
      if (births.length === 3) break
    }
    await tracee.stopAll()
    const [stopped, ...others] = births
    for (const other of others) other.cont()
    tracee.contAll()
    expect(stopped?.stop).toMatchObject({ reason: 'birth' })
    expect(stateOf(stopped!.tid)).toBe('t')
    expect(tracee.stop).toBeNull()
    stopped?.cont()
    void passOn(started)
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('that step are stopped, and the step that was due is made afterwards (%s)', async trace => {
    const started = await startThreads(program, ['1'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const at = new Set([tracee.registers().pc])
    for (let i = 1; i <= 20; i++) {
      tracee.step()
      await tracee.stopAll()
      tracee.contAll()
      expect(await tracee.wait({ timeoutMs: 10_000 })).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
      at.add(tracee.registers().pc)
    }
    expect(at.size).toBeGreaterThan(3)
  })

  it('that listen in a group stop are stopped, and listen on', async () => {
    const { tracee, text } = await startThreads(program, ['3'], { trace: 'seize', follow: 'threads' })
    await using _ = tracee
    const end = tracee.run()
    await until('the program is ready', () => /^ready .*\n/.test(text()))
    const threads = [...tracee.threads.values()]
    let groupStops = 0
    for (const thread of threads) thread.on('stop', stop => stop.reason === 'group' && groupStops++)
    tracee.kill('SIGSTOP')
    await until('each has stopped', () => groupStops === 4)
    await until('each listens', () => threads.every(({ stop }) => stop === null))
    await tracee.stopAll({ timeoutMs: 10_000 })
    expect(threads.map(({ stop }) => stop?.reason)).toEqual(Array(4).fill('interrupt'))
    tracee.contAll()
    expect(threads.map(({ stop }) => stop)).toEqual(Array(4).fill(null))
    expect(states(tracee.pid), 'none runs').toEqual(new Set('t'))
    tracee.kill('SIGCONT')
    tracee.stdin?.end()
    expect(await end).toMatchObject({ code: 7 })
  })

  it('under run() beside a loop are the loop’s to resume', async () => {
    const started = await startThreads(program, ['3'], { trace: 'seize', follow: 'threads' })
    await using tracee = started.tracee
    const end = tracee.run()
    const passing = passOn(started)
    await until('the program is ready', () => /^ready .*\n/.test(started.text()))
    for (let sent = 1; sent <= 20; sent++) {
      for (const thread of tracee.threads.values()) thread.kill('SIGWINCH')
      const count = () => started.stops.filter(stop => stop.signal === 'SIGWINCH').length
      await until('the loop is given each', () => count() === sent * 4)
    }
    tracee.stdin?.end()
    expect(await end).toMatchObject({ code: 7 })
    await passing
  })

  it.each(tracings)('under run() stay stopped, those that are just born too (%s)', async trace => {
    const started = await startThreads(program, ['4', 'come-and-go'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const end = tracee.run()
    await until('the program is ready', () => started.text().startsWith('ready'))
    for (let round = 0; round < 50; round++) {
      await tracee.stopAll({ timeoutMs: 10_000 })
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
      const left = tasks(tracee.pid).map(stateOf)
      expect(left.filter(state => state !== 't' && state !== 'Z')).toEqual([])
      tracee.contAll()
      await new Promise(resolve => setImmediate(resolve))
    }
    await tracee[Symbol.asyncDispose]()
    await end
  })

  it.each(tracings.flatMap(trace => (['detach', 'handOff'] as const).map(how => ({ trace, how }))))(
    'whose main one has ended are let go ($trace, $how)',
    async ({ trace, how }) => {
      const started = await startThreads(program, ['3', 'main-ends'], { trace, follow: 'threads' })
      await using tracee = started.tracee
      await untilReady(started)
      await until('the main one has ended', () => stateOf(tracee.pid) === 'Z')
      await tracee[how]({ timeoutMs: 10_000 })
      if (how === 'handOff') tracee.kill('SIGCONT')
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    },
  )

  it.each(tracings)('get the signals that come while they are stopped (%s)', async trace => {
    const started = await startThreads(program, ['3'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    await untilReady(started)
    await tracee.stopAll()
    for (const thread of tracee.threads.values()) thread.kill('SIGWINCH')
    tracee.contAll()
    await until(
      'each has stopped for its signal',
      () => started.stops.filter(stop => stop.signal === 'SIGWINCH').length === 4,
    )
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(ways)('are let go while they run, and go on ($trace, follow $follow)', async ({ trace, follow }) => {
    for (let round = 0; round < 5; round++) {
      const started = await startThreads(program, ['10', round % 2 ? 'come-and-go' : 'sleep'], { trace, follow })
      await using tracee = started.tracee
      await untilReady(started)
      await tracee.detach({ timeoutMs: 10_000 })
      expect(tracee.tracing).toBeNull()
      for (const tid of tasks(tracee.pid)) {
        try {
          expect(statusOf(tid, 'TracerPid')).toBe(0)
        } catch (error) {
          if (!['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) throw error
        }
      }
      if (round % 2 === 0) await hitAll(started, 10)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    }
  })

  it.each(tracings)('are let go once, however often that is asked for at once (%s)', async trace => {
    for (const calls of [
      ['handOff', 'handOff'],
      ['handOff', 'detach'],
      ['detach', 'handOff'],
    ] as const) {
      const started = await startThreads(program, ['10', 'spin'], { trace, follow: 'threads' })
      await using tracee = started.tracee
      await untilReady(started)
      const [first, second] = calls.map(call => tracee[call]())
      await expect(second).rejects.toMatchObject({ code: 'ESRCH', message: expect.stringContaining('detached') })
      await first
      expect(tasks(tracee.pid).map(tid => statusOf(tid, 'TracerPid'))).toEqual(Array(11).fill(0))
      if (calls[0] === 'handOff') expect(stateOf(tracee.pid)).toBe('T')
    }
  })

  it.each(tracings)('are let go, though contAll() is called meanwhile (%s)', async trace => {
    for (const how of ['detach', 'handOff'] as const) {
      const started = await startThreads(program, ['10', 'spin'], { trace, follow: 'threads' })
      await using tracee = started.tracee
      await untilReady(started)
      const left = tracee[how]()
      tracee.contAll()
      await left
      expect(tasks(tracee.pid).map(tid => statusOf(tid, 'TracerPid'))).toEqual(Array(11).fill(0))
      if (how === 'handOff') expect(stateOf(tracee.pid)).toBe('T')
    }
  })

  it.each(ways)('are handed off in state T, each where it was ($trace, follow $follow)', async ({ trace, follow }) => {
    const started = await startThreads(program, ['10'], { trace, follow })
    await using tracee = started.tracee
    await untilReady(started)
    await tracee.handOff({ timeoutMs: 10_000 })
    expect(states(tracee.pid)).toEqual(new Set('T'))
    for (const tid of tasks(tracee.pid)) expect(statusOf(tid, 'TracerPid')).toBe(0)
    system.kill(tracee.pid, 'SIGCONT')
    await hitAll(started, 10)
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('are let go with a trap pending for a breakpoint, and none is killed by it (%s)', async trace => {
    for (let round = 0; round < 10; round++) {
      const started = await startThreads(program, ['20'], { trace, follow: round % 2 ? 'threads' : false })
      await using tracee = started.tracee
      const { hit } = await untilReady(started)
      const breakpoint = tracee.breakpoint(hit)
      tracee.stdin?.write('h')
      await tracee.detach()
      breakpoint[Symbol.dispose]()
      await until('every thread has called', () => started.text().split('hit\n').length - 1 === 20)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    }
  })

  it.skipIf(gdb !== undefined)(
    `are gdb's after a hand-off${gdb === undefined ? '' : ` [skipped: ${gdb}]`}`,
    async () => {
      const started = await startThreads(program, ['5'], { trace: 'seize', follow: 'threads' })
      await using tracee = started.tracee
      await untilReady(started)
      await tracee.handOff()
      const args = ['-q', '-batch', '-nx', '-p', String(tracee.pid), '-ex', 'info threads', '-ex', 'kill']
      const { stdout } = await promisify(execFile)('gdb', args, { env: { ...process.env, DEBUGINFOD_URLS: '' } })
      expect(stdout.match(/Thread 0x/g)?.length).toBeGreaterThanOrEqual(6)
      expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    },
  )

  it.each(tracings)('keep the value of a signal that one has stopped for (%s)', async trace => {
    const origin = compile(folder, 'signal-origin')
    const sendValue = compile(folder, 'send-value')
    const started = await startThreads(origin, [], { trace, follow: 'threads' })
    await using tracee = started.tracee
    tracee.cont()
    await until('the program is ready', () => started.text().startsWith('ready\n'))
    execFileSync(sendValue, [String(tracee.pid), '10', '4242'])
    await tracee.wait()
    await tracee.detach()
    await until('the signal is handled', () => started.text() === 'ready\n10 -1 4242\n')
  })
})
