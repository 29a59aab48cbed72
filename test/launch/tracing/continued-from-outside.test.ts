/** SIGCONTs from other processes: each drops the SIGSTOPs that are pending, those of the library among them. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { attach } from '../../../lib/launch/attach.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { hitAll, startThreads, untilReady } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, until } from '../support/processes.ts'

const title = `a program that another process continues all the time${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const count = 20

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('is stopped', () => {})
  const program = compile(temporaryFolder(), 'many-threads', ['-pthread'])

  /** Sends SIGCONT as fast as it can, until it is disposed of. */
  function continuing(pid: number): AsyncDisposable {
    const shell = spawn('/bin/sh', ['-c', `while kill -CONT ${pid} 2>/dev/null; do sleep 0.001; done; read x`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const closed = once(shell, 'close')
    return {
      async [Symbol.asyncDispose]() {
        shell.kill('SIGKILL')
        await closed
      },
    }
  }

  it.each(tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow }))))(
    'goes on over a breakpoint in each thread ($trace, follow $follow)',
    async way => {
      const started = await startThreads(program, [String(count)], way)
      await using tracee = started.tracee
      const { hit } = await untilReady(started)
      const breakpoint = tracee.breakpoint(hit)
      const traps = () => started.stops.filter(stop => stop.trap !== undefined).length
      for (let round = 1; round <= 3; round++) {
        await using _ = continuing(tracee.pid)
        await hitAll(started, count)
        expect(traps()).toBe(round * count)
      }
      breakpoint[Symbol.dispose]()
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    },
  )

  it.each(tracings)('goes on over a breakpoint, though the interrupts for it are dropped (%s)', async trace => {
    const started = await startThreads(program, [String(count)], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const { hit } = await untilReady(started)
    let hits = 0
    using _ = tracee.breakpoint(hit)
    for (const thread of tracee.threads.values()) {
      thread.on('stop', stop => {
        if (stop.trap === undefined) return
        hits++
        // The others are interrupted for it.
        thread.cont()
        tracee.kill('SIGCONT')
      })
    }
    await hitAll(started, count)
    expect(hits).toBe(count)
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('is stopped as a whole, let go, and handed off (%s)', async trace => {
    for (const how of ['detach', 'handOff'] as const) {
      const started = await startThreads(program, [String(count)], { trace, follow: 'threads' })
      await using tracee = started.tracee
      tracee.run().catch(() => {})
      await until('the program is ready', () => /^ready .*\n/.test(started.text()))
      {
        await using _ = continuing(tracee.pid)
        for (let round = 0; round < 5; round++) {
          await tracee.stopAll({ timeoutMs: 10_000 })
          tracee.contAll()
        }
        if (how === 'detach') await tracee.detach({ timeoutMs: 10_000 })
      }
      if (how === 'handOff') {
        await tracee.handOff({ timeoutMs: 10_000 })
        expect(stateOf(tracee.pid)).toBe('T')
        tracee.kill('SIGCONT')
      }
      await until('it runs', () => 'SRD'.includes(stateOf(tracee.pid)))
      await hitAll(started, count)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    }
  })

  it('is handed off, though it is another one’s child', async () => {
    const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; wait $!'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(shell, 'close')
    const pid = Number(String((await once(shell.stdout, 'data'))[0]))
    {
      await using _ = continuing(pid)
      for (let round = 0; round < 20; round++) {
        const tracee = await attach(pid)
        tracee.cont()
        await tracee.handOff({ timeoutMs: 10_000 })
        expect(tracee.tracing).toBeNull()
      }
    }
    process.kill(pid, 'SIGKILL')
    await closed
  })
})
