/**
 * Many launches: in sequence, at once, beside child_process, under load, from workers. The process's state is
 * the same afterwards.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import type { Child } from '../../lib/launch/handles/child.ts'
import { Tracee } from '../../lib/launch/handles/tracee.ts'
import { launch } from '../../lib/launch/launch.ts'
import { childrenOfThisProcess, openDescriptors, ownStatus } from '../support/process-table.ts'
import { rounds } from '../support/rounds.ts'
import { modes, optionsOf } from './support/modes.ts'
import { describeNative } from './support/native.ts'
import { runNode, whyNot } from './support/node.ts'
import { stateOf, until } from './support/processes.ts'
import { textOf } from './support/streams.ts'

const built = whyNot('true')
const entry = new URL('../../dist/index.js', import.meta.url).href

describeNative('launching', system => {
  const busy: ReturnType<typeof spawn>[] = []
  afterEach(async () => {
    for (const child of busy.splice(0)) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  })

  it('hundreds of times in a row leaves descriptors, children and threads as they were', async () => {
    const once = async (i: number) => {
      const child = await launch('/bin/sh', ['-c', `exit ${i % 100}`], optionsOf(modes[i % modes.length]!))
      if (child instanceof Tracee) void child.run()
      expect((await child.exited).code).toBe(i % 100)
      if (i % 10 === 0)
        await expect(launch('/no/such', [], optionsOf(modes[i % modes.length]!))).rejects.toThrow('ENOENT')
    }
    for (let i = 0; i < 30; i++) await once(i)
    await until(
      'the streams are closed',
      () => [...openDescriptors().values()].filter(each => each.startsWith('pipe:')).length < 20,
    )
    const threads = ownStatus('Threads')
    for (let i = 0; i < rounds(100, 1000); i++) await once(i)
    expect(childrenOfThisProcess().size).toBe(0)
    expect(ownStatus('Threads')).toBe(threads)
  })

  it.skipIf(built !== undefined)('thousands of times leaves the memory as it was', { timeout: 300_000 }, async () => {
    const ran = await runNode(
      `
      const rss = () => { globalThis.gc(); globalThis.gc(); return process.memoryUsage().rss / 1024 }
      const many = async count => { for (let i = 0; i < count; i++) { const t = await launch('/bin/true', [], { trace: i % 2 ? 'traceme' : 'seize' }); await t.run() } }
      await many(300)
      const before = rss()
      await many(${rounds(600, 900)})
      report({ grownKiB: Math.round(rss() - before), descriptors: descriptors().length, children: childPids() })`,
      { flags: ['--expose-gc'], limitMs: 280_000 },
    )
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    const { grownKiB, children } = ran.reports[0] as { grownKiB: number; children: number[] }
    expect(children).toEqual([])
    // A stack and a program kept for each launch would take twenty mebibytes.
    expect(grownKiB).toBeLessThan(16_384)
  })

  it('two hundred held at once are all held, and each ends with its own exit code', async () => {
    const many = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        launch('/bin/sh', ['-c', `exit ${i % 100}`], { trace: i % 2 ? 'seize' : 'traceme', stdio: 'ignore' }),
      ),
    )
    expect(new Set(many.map(tracee => tracee.pid)).size).toBe(200)
    for (const tracee of many) expect(stateOf(tracee.pid)).toBe('t')
    const ends = await Promise.all(many.map(tracee => tracee.run()))
    expect(ends.map(end => end.code)).toEqual(many.map((_, i) => i % 100))
  })

  it('beside child_process, hundreds of each, every exit code comes to its own', async () => {
    const theirs = async (i: number) => {
      const child = spawn('/bin/sh', ['-c', `echo ${i}; exit ${i % 120}`])
      let text = ''
      child.stdout.on('data', chunk => {
        text += chunk
      })
      expect(await once(child, 'close')).toEqual([i % 120, null])
      expect(text).toBe(`${i}\n`)
    }
    const ours = async (i: number) => {
      const child = await launch('/bin/sh', ['-c', `echo ${i}; exit ${i % 120}`], optionsOf(modes[i % modes.length]!))
      const text = textOf(child.stdout)
      if (child instanceof Tracee) void child.run()
      expect((await child.exited).code).toBe(i % 120)
      expect(await text).toBe(`${i}\n`)
    }
    const lane = async (n: number) => {
      for (let i = 0; i < rounds(10, 25); i++) await (n % 2 ? ours : theirs)(n * 25 + i)
    }
    await Promise.all(Array.from({ length: 16 }, (_, n) => lane(n)))
  })

  it('while every processor is busy works as ever', async () => {
    for (let i = 0; i < 2; i++) busy.push(spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }))
    const lane = async (n: number) => {
      for (let i = 0; i < 12; i++) {
        const child: Child = await launch('/bin/sh', ['-c', 'kill -USR1 $$; exit 3'], {
          ...optionsOf(modes[(n + i) % modes.length]!),
          beforeExec: i % 2 ? async () => {} : undefined,
        })
        if (child instanceof Tracee) {
          expect(child.stop).toMatchObject({ event: 'exec' })
          child.cont()
          expect(await child.wait()).toMatchObject({ kind: 'stopped' })
          await child[Symbol.asyncDispose]()
        } else expect(await child.exited).toMatchObject({ signal: 'SIGUSR1' })
      }
    }
    await Promise.all([lane(0), lane(1), lane(2)])
  })

  const inWorker = (script: string) =>
    new Worker(
      `const { parentPort } = require('node:worker_threads'); import(${JSON.stringify(entry)}).then(async ({ launch, openSystem }) => { ${script} })`,
      { eval: true },
    )

  it.skipIf(built !== undefined)('in a worker thread works there, and the tracee is that thread’s', async () => {
    const worker = inWorker(`
      const tracee = await launch('/bin/sh', ['-c', 'exit 4'], { stdio: 'ignore' })
      parentPort.postMessage(tracee.pid)
      parentPort.once('message', async () => parentPort.postMessage((await tracee.run()).code))`)
    const [pid] = (await once(worker, 'message')) as [number]
    expect(stateOf(pid)).toBe('t')
    for (const request of ['ptraceCont', 'ptraceDetach', 'ptraceGetRegisters'] as const) {
      expect(() => system[request](pid)).toThrow(
        expect.objectContaining({ code: 'ESRCH', message: expect.stringContaining('another thread') }),
      )
    }
    const told = once(worker, 'message')
    worker.postMessage('go on')
    expect(await told).toEqual([4])
    await worker.terminate()
  })

  // In a separate process: a terminated worker's descriptors stay open until its process ends.

  it.skipIf(built !== undefined).each([
    ['held at its exec', `const t = await launch('/bin/sleep', ['60']); parentPort.postMessage(t.pid)`],
    ['held, seized', `const t = await launch('/bin/sleep', ['60'], { trace: 'seize' }); parentPort.postMessage(t.pid)`],
    ['running, traced', `const t = await launch('/bin/sleep', ['60']); t.cont(); parentPort.postMessage(t.pid)`],
    ['at the gate', `await launch('/bin/sleep', ['60'], { beforeExec })`],
    [
      'at the gate, untraced, memory copied',
      `await launch('/bin/sleep', ['60'], { trace: false, memory: 'copied', beforeExec })`,
    ],
  ])('in a worker that is terminated leaves nothing alive: %s', async (_, script) => {
    const inWorker = `
      import { parentPort } from 'node:worker_threads'
      import { launch } from ${JSON.stringify(entry)}
      const beforeExec = child => { parentPort.postMessage(child.pid); return new Promise(() => {}) }
      ${script}`
    const ran = await runNode(`
      openSystem()
      const { Worker } = await import('node:worker_threads')
      const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true })
      const [pid] = await once(worker, 'message')
      await worker.terminate()
      const state = () => { try { return fs.readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ').pop()[0] } catch { return 'gone' } }
      while (!['Z', 'gone'].includes(state())) await new Promise(resolve => setTimeout(resolve, 1))
      // The next launch reaps it.
      await (await launch('/bin/true', [], { trace: false })).exited
      report(state())`)
    expect(ran, ran.stderr).toMatchObject({ code: 0, reports: ['gone'] })
  })
})
