/** Events that a loop asks for while the program runs: of every thread from then on, those just born included. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { rounds } from '../../support/rounds.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { startThreads, untilReady } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, until } from '../support/processes.ts'

const title = `the event 'exit'${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('is shown', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'many-threads', ['-pthread'])
  const threads = compile(folder, 'threads')

  it.each(tracings)('is shown of each thread that is born after it is asked for (%s)', async trace => {
    const { tracee, text } = await startThreads(program, ['8', 'come-and-go'], { trace, follow: 'threads' })
    await using _ = tracee
    const end = tracee.run()
    end.catch(() => {})
    await until('the program is ready', () => text().startsWith('ready'))
    for (let round = 0; round < rounds(8, 20); round++) {
      const born = new Set<number>()
      const exited = new Set<number>()
      const missing: number[] = []
      let ends = 0
      for await (const { thread, stop } of tracee.everyStop({ events: ['exit'] })) {
        if (stop.reason === 'birth') {
          born.add(thread.tid)
          thread.once('end', () => {
            ends++
            if (!exited.has(thread.tid)) missing.push(thread.tid)
          })
        }
        if (stop.event === 'exit') exited.add(thread.tid)
        if (thread.stop === stop) thread.cont(stop.event ? undefined : stop.signal)
        if (ends > 30) break
      }
      expect(missing, `of ${ends} in round ${round}`).toEqual([])
    }
  })

  it.each(tracings)('is asked for beside stopAll(), which keeps the threads stopped (%s)', async trace => {
    for (let round = 0; round < 5; round++) {
      const started = await startThreads(program, ['8', 'spin'], { trace, follow: 'threads' })
      const { tracee } = started
      await untilReady(started)
      const stops = tracee.everyStop({ events: ['exit'] })
      const stop = stops.next()
      await tracee.stopAll()
      for (let turns = 0; turns < 5; turns++) {
        await new Promise(resolve => setTimeout(resolve, 1))
        for (const tid of tracee.threads.keys()) expect(stateOf(tid)).toBe('t')
      }
      tracee.contAll()
      await tracee[Symbol.asyncDispose]()
      await stop
      await stops.return()
    }
  })

  it.each(tracings)('keeps no thread from its end where the program is disposed of in the loop (%s)', async trace => {
    for (let round = 0; round < 6; round++) {
      const isAtExit = round % 2 === 0
      const { tracee, text } = await startThreads(program, ['8', 'come-and-go'], { trace, follow: 'threads' })
      tracee.cont()
      for await (const { thread, stop } of tracee.everyStop({ events: ['exit'] })) {
        if (stop.event === 'exit' && isAtExit) break
        if (!isAtExit && text().startsWith('ready')) break
        thread.cont(stop.event ? undefined : stop.signal)
      }
      const stops = tracee.everyStop({ events: ['exit'] })
      await stops.next()
      await tracee[Symbol.asyncDispose]()
      expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
      await stops.return()
    }
  })

  // A thread that was killed at its stop refuses the detach, and stops once more, at its exit event.
  it.each(tracings)('keeps no thread from its end where the program ends as it is let go (%s)', async trace => {
    for (let round = 0; round < rounds(12, 60); round++) {
      const { tracee, text } = await startThreads(program, ['6', 'spin'], { trace, follow: 'threads' })
      await using _ = tracee
      const loop = (async () => {
        for await (const { thread, stop } of tracee.everyStop({ events: ['exit'] })) {
          thread.cont(stop.event ? undefined : stop.signal)
        }
      })()
      await until('the program is ready', () => text().startsWith('ready'))
      tracee.stdin?.end('x')
      for (let turns = round % 6; turns > 0; turns--) await new Promise(setImmediate)
      await tracee.detach().catch(error => expect(error).toMatchObject({ code: 'ESRCH' }))
      tracee.kill('SIGKILL')
      await Promise.all([tracee.exited, loop])
    }
  })

  // Of two threads at a breakpoint one waits to step over it, for the other to be stopped.
  it.each(tracings)('keeps no thread from its end where the program is killed as the loop ends (%s)', async trace => {
    for (let round = 0; round < rounds(4, 10); round++) {
      const { tracee, text } = await startThreads(program, ['4'], { trace, follow: 'threads' })
      await using _ = tracee
      tracee.cont()
      const loop = (async () => {
        let hits = 0
        for await (const { thread, stop } of tracee.everyStop({ events: ['exit'] })) {
          if (stop.trap !== undefined && ++hits === 2) {
            tracee.kill('SIGKILL')
            break
          }
          thread.cont(stop.event || stop.trap ? undefined : stop.signal)
        }
      })()
      await until('the program is ready', () => text().startsWith('ready'))
      await tracee.stopAll()
      tracee.breakpoint(BigInt(/ready (0x\w+)/.exec(text())?.[1] ?? 0))
      tracee.contAll()
      tracee.stdin?.write('h')
      await loop
      expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    }
  })

  it.each([
    { trace: 'traceme', way: 'handOff' },
    { trace: 'traceme', way: 'detach' },
    { trace: 'seize', way: 'handOff' },
    { trace: 'seize', way: 'detach' },
  ] as const)(
    'keeps no exec from replacing its threads, nor stops the program, meanwhile: $way() ($trace)',
    async ({ trace, way }) => {
      for (let round = 0; round < rounds(8, 20); round++) {
        const args = ['t(p)t(p)t(p)t(r0E)p', '/bin/true']
        const tracee = await launch(threads, args, { trace, follow: 'threads', stdio: ['pipe', 'ignore', 'inherit'] })
        await using _ = tracee
        let births = 0
        const loop = (async () => {
          for await (const { thread, stop } of tracee.everyStop({ events: ['exit'] })) {
            if (stop.reason === 'birth') births++
            if (thread.stop === stop) thread.cont(stop.event ? undefined : stop.signal)
          }
        })()
        await until('all are born', () => births === 4)
        tracee.stdin.write('x')
        for (let turn = 0; turn < round; turn++) await new Promise(resolve => setImmediate(resolve))
        // The program may have ended by then.
        await tracee[way]().catch(error => expect(error).toMatchObject({ code: 'ESRCH' }))
        if (way === 'handOff' && stateOf(tracee.pid) === 'T') process.kill(tracee.pid, 'SIGCONT')
        expect(await tracee.exited).toMatchObject({ code: 0 })
        await loop.catch(error => expect(error).toMatchObject({ code: 'ESRCH' }))
      }
    },
  )
})
