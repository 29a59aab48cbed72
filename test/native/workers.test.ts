import { execFileSync } from 'node:child_process'
import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { builtAddonPath } from '../../lib/native/build-command.ts'
import { openSystem } from '../../lib/open-system.ts'
import { constants } from '../../lib/system/constants.ts'
import { endOf, heldChild, thrown } from '../contract/helpers.ts'
import { compiledLibrary } from '../support/compiled-library.ts'
import { describeNative } from '../support/describe-native.ts'
import { runScript } from '../support/node-script.ts'
import { childrenOfThisProcess, openDescriptors } from '../support/process-table.ts'
import { rounds } from '../support/rounds.ts'
import { processLimitMs } from '../support/time-limits.ts'

interface Told {
  readonly pid?: number
  readonly descriptors?: number[]
  readonly result?: Record<string, number>
}

describeNative('worker threads', () => {
  /**
   * The workers of a test, each with its exit. 'exit' fires once, possibly with the last message, so listen from
   * the start.
   */
  const workers = new Map<Worker, Promise<number>>()
  const start = (task: 'once' | 'hold' | 'launching' | 'never') => {
    const worker = new Worker(new URL('../fixtures/worker.mjs', import.meta.url), {
      workerData: { library: compiledLibrary(), task },
    })
    workers.set(worker, new Promise(resolve => worker.once('exit', resolve)))
    return worker
  }
  const told = (worker: Worker) =>
    new Promise<Told>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
  const ended = (worker: Worker) => workers.get(worker)
  /** Reaps every remaining child of this process by its pid. */
  const reapAll = async () => {
    const system = openSystem('native')
    for (const { pid } of childrenOfThisProcess().values()) {
      try {
        await endOf(system, pid)
      } catch {
        // A worker has reaped it.
      }
    }
  }

  afterEach(async () => {
    await Promise.all([...workers.keys()].map(worker => worker.terminate()))
    workers.clear()
  })

  const everything = { revents: 1, raw: 0, stop: 0x137f, exec1: 0x057f, last: 0 }

  it('can do everything that the main thread can', async () => {
    const worker = start('once')
    expect((await told(worker)).result).toEqual(everything)
    expect(await ended(worker)).toBe(0)
  })

  it('several at once, and the main thread beside them', async () => {
    const system = openSystem('native')
    const answers = Array.from({ length: 6 }, () => told(start('once')))
    for (let i = 0; i < 50; i++) {
      const pid = system.fork({ actions: [{ op: 'exit', code: i }] })
      expect(await endOf(system, pid)).toBe(i << 8)
    }
    for (const answer of await Promise.all(answers)) expect(answer.result).toEqual(everything)
    await Promise.all([...workers.keys()].map(worker => worker.terminate()))
  })

  it('a tracee belongs to the thread that forked it: elsewhere ESRCH, which says why', async () => {
    const system = openSystem('native')
    const worker = start('hold')
    const { pid } = await told(worker)
    const error = thrown(() => system.ptraceCont(pid!))
    expect(error).toMatchObject({ code: 'ESRCH', syscall: 'ptrace', pid })
    expect(error.message).toContain('another thread')
    const result = told(worker)
    worker.postMessage('let it go')
    expect((await result).result).toEqual({ raw: 0 })
    await ended(worker)
  })

  it('a child of a worker may be waited for by the main thread', async () => {
    const system = openSystem('native')
    const worker = start('hold')
    const { pid } = await told(worker)
    system.kill(pid!, 'SIGKILL')
    expect(system.waitpid(pid!)?.raw).toBe(9)
    await worker.terminate()
  })

  describe('that are terminated at any moment', () => {
    const terminated = rounds(4, 12)
    /** The number of forks to wait for: 0 to 33, in steps. */
    const momentOf = (round: number) => Math.round((round * 33) / (terminated - 1))

    it('leave the main thread healthy, and no child of theirs alive', async () => {
      const system = openSystem('native')
      for (let round = 0; round < terminated; round++) {
        const pair = [start('never'), start('never')]
        const descriptors = await Promise.all(pair.map(async worker => (await told(worker)).descriptors!))
        // An arbitrary moment of the workers' activity. It need not be the same in each run.
        for (let i = 0; i < momentOf(round); i++) expect(await endOf(system, system.fork({ actions: [] }))).toBe(0)
        await Promise.all(pair.map(worker => worker.terminate()))
        // Descriptors belong to the process: the end of a thread closes none.
        for (const fd of descriptors.flat()) closeSync(fd)
        await reapAll()
        expect([...childrenOfThisProcess().values()]).toEqual([])
      }
      const [r, w] = system.pipe2()
      const ready = system.ready(r, constants.POLLIN)
      system.write(w, new Uint8Array(1))
      expect(await ready).toBe(constants.POLLIN)
      for (const fd of [r, w]) system.close(fd)
    })

    it('in the middle of a launch leave neither its pipes nor any channel open, and close no other descriptor', async () => {
      const system = openSystem('native')
      const pipesAndSockets = () => [...openDescriptors()].filter(([, target]) => /^(pipe|socket):/.test(target))
      const own = system.pipe2()
      for (let round = 0; round < terminated; round++) {
        const before = pipesAndSockets()
        const worker = start('launching')
        await told(worker)
        for (let i = 0; i < momentOf(round); i++) expect(await endOf(system, system.fork({ actions: [] }))).toBe(0)
        await worker.terminate()
        await reapAll()
        expect(pipesAndSockets()).toEqual(before)
      }
      for (const fd of own) system.close(fd)
    })

    it('before they have begun', async () => {
      for (let i = 0; i < 10; i++) await start('never').terminate()
      expect(await endOf(openSystem('native'), openSystem('native').fork({ actions: [] }))).toBe(0)
    })

    it('while the main thread holds a child of its own, which lives on', async () => {
      const system = openSystem('native')
      const child = heldChild(system, { after: [{ op: 'exit', code: 3 }] })
      const worker = start('never')
      const { descriptors } = await told(worker)
      await worker.terminate()
      for (const fd of descriptors!) closeSync(fd)
      child.release()
      expect(system.waitpid(child.pid)?.raw).toBe(0x0300)
      await reapAll()
    })
  })

  it('terminated while they load the addon leave the process alive', async () => {
    const addon = builtAddonPath(fileURLToPath(new URL('../..', import.meta.url)))
    const ran = await runScript('terminated-while-loading.mjs', [addon, String(rounds(12, 100))])
    expect(ran, ran.stderr).toMatchObject({ code: 0, stdout: 'all terminated\n' })
  })

  it('the process ends when only a subscription that shall not keep it alive is left', () => {
    const script = `
      const { openSystem } = await import(${JSON.stringify(`${compiledLibrary()}open-system.js`)})
      const system = openSystem('native')
      system.onChildChange(() => {}, { keepAlive: false })
      const [r] = system.pipe2()
      const controller = new AbortController()
      system.ready(r, 1, { signal: controller.signal }).catch(() => console.log('aborted'))
      system.onChildChange(() => {})()
      setTimeout(() => controller.abort(), 10)
    `
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: processLimitMs })
    expect(output.toString()).toBe('aborted\n')
  })
})
