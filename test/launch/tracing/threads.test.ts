/** The threads of a tracee: their births, stops and ends, and what the library does by itself. */

import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { TracedThread } from '../../../lib/launch/handles/traced-thread.ts'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'

const title = `the threads of a tracee${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('are traced', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'many-threads', ['-pthread'])
  const threadExec = compile(folder, 'thread-exec', ['-pthread'])

  interface Started {
    readonly tracee: Tracee
    readonly text: () => string
  }

  async function start(args: readonly string[], options: { trace?: 'traceme' | 'seize'; follow?: 'threads' | false }) {
    const tracee = await launch(program, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options })
    let text = ''
    tracee.stdout.on('data', chunk => {
      text += chunk
    })
    return { tracee: tracee as unknown as Tracee, text: () => text }
  }

  /** Passes every stop on until the program is ready. */
  async function untilReady({ tracee, text }: Started): Promise<string[]> {
    const seen: string[] = []
    for (const thread of tracee.threads.values()) thread.cont()
    void (async () => {
      for await (const { thread, stop } of tracee.everyStop()) {
        seen.push(stop.reason ?? stop.event ?? stop.signal)
        thread.cont(stop.event ? undefined : stop.signal)
      }
    })()
    await until('the program is ready', () => text().startsWith('ready'))
    return seen
  }

  const tasks = (pid: number) => readdirSync(`/proc/${pid}/task`).map(Number)

  it.each(tracings)('are shown by a birth each, after the event of their creator (%s)', async trace => {
    const started = await start(['3'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    tracee.cont()
    const shown: string[] = []
    const announced: TracedThread[] = []
    for await (const { thread, stop } of tracee.everyStop()) {
      shown.push(stop.reason ?? stop.event ?? stop.signal)
      if (stop.event === 'clone') announced.push(stop.child as TracedThread)
      if (stop.reason === 'birth') {
        expect(announced).toContain(thread)
        expect(thread.stop).toBe(stop)
        expect(stop).toEqual({ kind: 'stopped', signal: 'SIGTRAP', event: 'stop', reason: 'birth' })
        expect(tracee.threads.get(thread.tid)).toBe(thread)
        expect(thread.process).toBe(tracee)
        expect(stateOf(thread.tid)).toBe('t')
      }
      thread.cont(stop.event ? undefined : stop.signal)
      if (shown.filter(each => each === 'birth').length === 3) break
    }
    expect(shown.sort()).toEqual(['birth', 'birth', 'birth', 'clone', 'clone', 'clone'])
    expect([...tracee.threads.keys()].sort()).toEqual(tasks(tracee.pid).sort())
    const ends = announced.map(thread => once(thread, 'end'))
    tracee.stdin?.end('x')
    expect(await tracee.run()).toMatchObject({ code: 7 })
    for (const end of ends) expect((await end)[0]).toBe('exit')
    expect([...tracee.threads.keys()]).toEqual([tracee.pid])
  })

  it.each(tracings)('wait each to be told on (%s)', async trace => {
    const started = await start(['1'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    tracee.cont()
    const clone = await tracee.wait()
    expect(clone).toMatchObject({ event: 'clone' })
    const thread = (clone as { child: TracedThread }).child
    expect(await thread.wait()).toMatchObject({ reason: 'birth' })
    const before = thread.registers()
    expect(tracee.stop).toBe(clone)
    thread.step()
    expect(await thread.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    expect(thread.registers().pc).not.toBe(before.pc)
    expect(tracee.stop).toBe(clone)
    thread.syscall()
    expect(await thread.wait()).toMatchObject({ event: 'syscall', phase: 'entry' })
    expect(thread.syscallInfo()).toMatchObject({ phase: 'entry', architecture: process.arch })
    thread.syscall()
    expect(thread.waitSync()).toMatchObject({ event: 'syscall', phase: 'exit' })
    thread.kill('SIGUSR1')
    thread.cont()
    expect(await thread.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    expect(thread.signalInfo()).toMatchObject({ signal: 'SIGUSR1', code: -6 })
    tracee.stdin?.end()
    expect(await tracee.run()).toMatchObject({ signal: 'SIGUSR1' })
  })

  it.each(tracings)('are not shown with follow: false, and are traced all the same (%s)', async trace => {
    const started = await start(['20'], { trace })
    await using tracee = started.tracee
    const shown: unknown[] = []
    tracee.on('stop', stop => shown.push(stop))
    tracee.cont()
    await until('the program is ready', () => started.text().startsWith('ready'))
    expect([...tracee.threads.keys()]).toEqual([tracee.pid])
    for (const tid of tasks(tracee.pid)) expect(statusOf(tid, 'TracerPid')).not.toBe(0)
    expect(tracee.stop).toBeNull()
    expect(shown).toEqual([])
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('that are not shown get their signals, and a group stop stops them all (%s)', async trace => {
    const started = await start(['5'], { trace })
    await using tracee = started.tracee
    const end = tracee.run()
    await until('the program is ready', () => started.text().startsWith('ready'))
    for (let round = 0; round < 3; round++) {
      tracee.kill('SIGSTOP')
      // A thread that has stopped to be given the signal runs once more, into the group stop.
      let looks = 0
      await until('all are stopped, and stay so', () => {
        looks = tasks(tracee.pid).every(tid => 'tT'.includes(stateOf(tid))) ? looks + 1 : 0
        return looks === 20
      })
      tracee.kill('SIGCONT')
      await until('all go on', () => tasks(tracee.pid).every(tid => 'SRD'.includes(stateOf(tid))))
    }
    tracee.stdin?.end()
    expect(await end).toMatchObject({ code: 7 })
  })

  it.each(tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow }))))(
    'end with an exec by one of them, and the main one goes on ($trace, follow $follow)',
    async ({ trace, follow }) => {
      await using tracee = await launch(threadExec, ['/bin/cat'], { trace, follow })
      const ends: unknown[] = []
      let former = 0
      tracee.cont()
      void (async () => {
        for await (const { thread, stop } of tracee.everyStop()) {
          if (stop.reason === 'birth') thread.on('end', (...args) => ends.push(args))
          if (stop.event === 'exec') {
            former = stop.formerTid ?? 0
            expect(thread).toBe(tracee.mainThread)
          }
          // The interrupt's SIGSTOP (traceme) is not the program's.
          thread.cont(stop.event || stop.signal === 'SIGSTOP' ? undefined : stop.signal)
        }
      })()
      await until('there are two threads', () => tasks(tracee.pid).length === 2)
      const other = tasks(tracee.pid).find(tid => tid !== tracee.pid)
      tracee.stdin?.write('x')
      await until(
        'the thread has exec’ed',
        () => readFileSync(`/proc/${tracee.pid}/comm`, 'latin1') === 'cat\n' && former > 0,
      )
      expect(former).toBe(other)
      if (follow === 'threads') expect(ends).toEqual([['exec', null]])
      expect(statusOf(tracee.pid, 'TracerPid')).not.toBe(0)
      expect([...tracee.threads.keys()]).toEqual([tracee.pid])
      tracee.interrupt()
      await until('it is interrupted and goes on', () => tracee.stop === null)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 0 })
    },
  )

  it.each(tracings)('that are stopped all end with SIGKILL (%s)', async trace => {
    const started = await start(['20'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const births: TracedThread[] = []
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      // Births stay at their stop.
      if (stop.reason === 'birth') births.push(thread)
      else thread.cont(stop.event ? undefined : stop.signal)
      if (births.length === 20) break
    }
    const ends = births.map(thread => thread.wait())
    for (const thread of births) expect(thread.stop).not.toBeNull()
    const left = births.map(thread => once(thread, 'end'))
    tracee.kill('SIGKILL')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    await Promise.all([...ends, ...left])
    for (const thread of births) expect(thread.stop).toBeNull()
    expect(tracee.threads.size).toBe(1)
  })

  it.each(tracings)('go on where the main one ends first, and so does the process (%s)', async trace => {
    const started = await start(['3', 'main-ends'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const ended = once(tracee.mainThread, 'end')
    await untilReady(started)
    expect(await ended).toEqual(['exit', { kind: 'exited', code: 0, signal: null }])
    expect(tracee.mainThread.end).toBe('exit')
    const [address = '0'] = /0x\w+/.exec(started.text()) ?? []
    // Memory is that of the process.
    expect(tracee.readMemory(BigInt(address), 4).length).toBe(4)
    tracee.stdin?.end('x')
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('that come and go all the time leave nothing behind (%s)', async trace => {
    const started = await start(['4', 'come-and-go'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const seen = await untilReady(started)
    await until('a hundred have come', () => seen.filter(each => each === 'birth').length > 100)
    await until('they go', () => tracee.threads.size < 30)
  })

  it.each(tracings)('are served while waitSync() blocks for one of them (%s)', async trace => {
    const started = await start(['5'], { trace })
    await using tracee = started.tracee
    tracee.cont()
    tracee.stdin?.write('x')
    // The others' births are passed on meanwhile.
    expect(tracee.waitSync()).toMatchObject({ kind: 'exited', code: 7 })
  })

  it.each(tracings)('are a thousand, quickly (%s)', async trace => {
    const started = await start(['1000'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    const seen = await untilReady(started)
    expect(seen.filter(each => each === 'birth').length).toBe(1000)
    expect(tracee.threads.size).toBe(1001)
  })

  it.each(tracings)('leave with the tracee when it is disposed of at any moment (%s)', async trace => {
    for (let i = 0; i < 10; i++) {
      const started = await start(['20', 'come-and-go'], { trace, follow: 'threads' })
      await using tracee = started.tracee
      tracee.cont()
      let stops = 0
      for await (const { thread, stop } of tracee.everyStop()) {
        if (++stops > i * 15) break
        thread.cont(stop.event ? undefined : stop.signal)
      }
    }
  })
})
