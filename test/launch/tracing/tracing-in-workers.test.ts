/** launch() and attach() in a worker thread of Node: a tracee belongs to the thread that traces it. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { describeNative } from '../support/native.ts'
import { runNode, whyNot } from '../support/node.ts'

const skip = whyNoCompiler ?? whyNot('cc')
const entry = JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)

describeNative(`tracing in a worker thread${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('follows', () => {})
  const folder = temporaryFolder()
  const program = JSON.stringify(compile(folder, 'many-threads', ['-pthread']))

  /** A script that runs `body` in a worker, whose messages are reported. */
  const inWorker = (body: string, after = '') => `
    const { Worker } = await import('node:worker_threads')
    const body = \`
      (async () => {
        const { parentPort } = await import('node:worker_threads')
        const { attach, launch, openSystem } = await import(${entry.replaceAll('"', "'")})
        const post = value => parentPort.postMessage(value)
        const pause = () => new Promise(resolve => setTimeout(resolve, 1))
        const outcome = promise => promise.then(value => ({ value }), error => ({ code: error.code, message: error.message }))
        ${body}
      })()\`
    const worker = new Worker(body, { eval: true })
    worker.on('message', report)
    worker.on('error', error => report(String(error.stack)))
    ${after}`

  it('follows threads and children, stops them and lets them go', async () => {
    const ran = await runNode(
      inWorker(`
        for (const trace of ['traceme', 'seize']) {
          const tracee = await launch(${program}, ['10'], { trace, follow: 'threads', stdio: ['pipe', 'pipe', 'inherit'] })
          let text = ''
          tracee.stdout.on('data', chunk => { text += chunk })
          const run = tracee.run()
          while (!text.startsWith('ready')) await pause()
          for (let i = 0; i < 10; i++) { await tracee.stopAll(); tracee.contAll() }
          tracee.stdin.write('h')
          while (text.split('hit').length - 1 < 10) await pause()
          const { size } = tracee.threads
          tracee.stdin.end()
          post([size, (await run).code])
          const tree = await launch('/bin/sh', ['-c', '(/bin/true; exit 2); exit 3'], { trace, follow: 'all', stdio: 'ignore' })
          const { code } = await tree.run()
          post([tree.children.size > 0, code])
        }`),
    )
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([
      [11, 7],
      [true, 3],
      [11, 7],
      [true, 3],
    ])
  })

  it('attaches to a child of another process, and lets it go when the worker is terminated', async () => {
    const ran = await runNode(`
      const { spawn } = await import('node:child_process')
      const shell = spawn('/bin/sh', ['-c', ${program} + ' 5 <&3 3<&- & echo $!; wait $!; echo code $?'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
      let text = ''
      shell.stdout.on('data', chunk => { text += chunk })
      while (!/ready.*\\n/.test(text) || !/^\\d+\\n/m.test(text)) await new Promise(resolve => setTimeout(resolve, 1))
      globalThis.pid = Number(/^\\d+$/m.exec(text)[0])
      const state = field => Number(new RegExp('^' + field + ':\\\\s+(\\\\d+)', 'm').exec(fs.readFileSync('/proc/' + pid + '/status', 'latin1'))[1])
      ${inWorker(
        "const tracee = await attach(Number(process.env.PID_TO_TRACE), { follow: 'all' }); post(tracee.threads.size); setInterval(() => {}, 1000)",
        "await once(worker, 'message'); report(state('TracerPid') !== 0); await worker.terminate()",
      ).replace(
        'new Worker(body, { eval: true })',
        'new Worker(body, { eval: true, env: { ...process.env, PID_TO_TRACE: String(pid) } })',
      )}
      while (state('TracerPid') !== 0) await new Promise(resolve => setTimeout(resolve, 1))
      shell.stdio[3].end('x')
      await once(shell, 'close')
      report(/code \\d+/.exec(text)[0])`)
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([6, true, 'code 7'])
  })

  it('is refused to another thread, with the reason', async () => {
    const ran = await runNode(`
      const system = openSystem()
      const tracee = await launch(${program}, ['3'], { follow: 'threads', stdio: ['pipe', 'pipe', 'inherit'] })
      ${inWorker(
        `const pid = Number(process.env.PID_TO_TRACE)
        const system = openSystem()
        const thrown = make => { try { return make() ?? 'nothing' } catch (error) { return { code: error.code, message: error.message } } }
        post(await outcome(attach(pid)))
        post(thrown(() => system.ptraceCont(pid)))
        post(thrown(() => system.ptraceGetRegisters(pid)))
        post(thrown(() => system.ptraceInterrupt(pid)))`,
        '',
      ).replace(
        'new Worker(body, { eval: true })',
        'new Worker(body, { eval: true, env: { ...process.env, PID_TO_TRACE: String(tracee.pid) } })',
      )}
      await once(worker, 'exit')
      report(tracee.stop.event)
      const run = tracee.run()
      tracee.stdin.end()
      report((await run).code)`)
    expect(ran.stderr).toBe('')
    const [attached, cont, registers, interrupt, ...rest] = ran.reports as { code: string; message: string }[]
    expect(attached).toMatchObject({ code: 'EPERM' })
    expect(attached?.message).toMatch(/it belongs to another thread of this process/)
    for (const refusal of [cont, registers, interrupt]) {
      expect(refusal).toMatchObject({ code: 'ESRCH' })
      expect(refusal?.message).toMatch(/another thread of this process/)
    }
    expect(rest).toEqual(['exec', 7])
  })

  it('goes on while the main thread waits for stops of its own', async () => {
    const ran = await runNode(
      `const done = new Int32Array(new SharedArrayBuffer(4))
      const own = await launch('/bin/sleep', ['100'], { stdio: 'ignore' })
      ${inWorker(
        `const [done] = await new Promise(resolve => parentPort.once('message', resolve))
        const tracee = await launch('/bin/sleep', ['100'], { stdio: 'ignore' })
        for (let i = 0; i < 300; i++) { tracee.step(); await tracee.wait() }
        await tracee[Symbol.asyncDispose]()
        Atomics.store(done, 0, 1)
        post('stepped')`,
        `worker.postMessage([done])
        while (Atomics.load(done, 0) === 0) {
          for (let i = 0; i < 100; i++) { own.step(); own.waitSync() }
          if (own.stop === null) break
        }
        await own[Symbol.asyncDispose]()`,
      )}`,
    )
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual(['stepped'])
  })

  it('begins while the main thread waits for a stop of its own', async () => {
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const ran = await runNode(
      `const own = await launch('/bin/cat', ['${fifo}'], { stdio: 'ignore' })
      for (let i = 0; i < 3; i++) { own.step(); own.waitSync() }
      ${inWorker(
        `const tracee = await launch('/bin/sleep', ['100'], { stdio: 'ignore' })
        for (let i = 0; i < 300; i++) { tracee.step(); await tracee.wait() }
        await tracee[Symbol.asyncDispose]()
        const { writeFileSync } = await import('node:fs')
        writeFileSync('${fifo}', 'go')
        post('stepped')`,
        `own.cont()
        report(own.waitSync().code)`,
      )}`,
    )
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([0, 'stepped'])
  })

  it('ends what it has launched when the worker is terminated', async () => {
    const ran = await runNode(
      inWorker(
        `const tracee = await launch(${program}, ['5'], { follow: 'threads', stdio: ['pipe', 'pipe', 'inherit'] })
        tracee.run()
        let text = ''
        tracee.stdout.on('data', chunk => { text += chunk })
        while (!text.startsWith('ready')) await pause()
        post(tracee.pid)`,
        `const [pid] = await once(worker, 'message')
        await worker.terminate()
        const alive = () => { try { return !'ZX'.includes(fs.readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ').at(-1)[0]) } catch { return false } }
        while (alive()) await new Promise(resolve => setTimeout(resolve, 1))
        report('ended')`,
      ),
    )
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([expect.any(Number), 'ended'])
  })
})
