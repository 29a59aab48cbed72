/** The option `ready`: what holds for both conventions. */

import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { explore, SimulatedKernel } from '../../../lib/sim/index.ts'
import type { NotReadyError } from '../../../lib/system/errors.ts'
import { bytes, rejection } from '../../contract/helpers.ts'
import { openDescriptors } from '../../support/process-table.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { notify, plain, shell } from '../support/ready.ts'

const conventions = ['notification-fd', 'sd_notify'] as const

describeNative('both conventions', () => {
  it.each(conventions)('reject where the program ends before, with its status: %s', async ready => {
    const child = await shell('exit 3', { ready })
    const error = await rejection(child.ready)
    expect(error).toMatchObject({ name: 'NotReadyError', code: 'ERR_NOT_READY', pid: child.pid })
    expect(error).toMatchObject({ status: { kind: 'exited', code: 3, signal: null } })
    expect(error.message).toBe(`the child ${child.pid} exited with 3 before it was ready`)
    const killed = await shell('kill -9 $$', { ready })
    await expect(killed.ready).rejects.toThrow('was killed by SIGKILL before it was ready')
  })

  it.each(conventions)('reject where another waiter has reaped the child: %s', async ready => {
    const child = await shell('exec sleep 1000', { ready })
    child.kill('SIGKILL')
    openSystem('native').waitpid(child.pid)
    const error = await rejection(child.ready)
    expect(error).toMatchObject({ code: 'ERR_NOT_READY', status: null })
  })

  it.each(conventions)('give the same promise each time, and no unhandled rejection: %s', async ready => {
    const { reports, stderr, code } = await runNode(`
      process.on('unhandledRejection', error => report(['unhandled', error.message]))
      const start = () => launch('/bin/sh', ['-c', 'exit 3'], { trace: false, stdio: 'ignore', ready: '${ready}' })
      const touched = await start()
      report(touched.ready === touched.ready)
      const untouched = await start()
      await Promise.all([touched.exited, untouched.exited])
      await new Promise(resolve => setTimeout(resolve, 20))
      report((await outcome(untouched.ready)).code)
      const without = await launch('/bin/true', [], { trace: false })
      without.ready
      report([(await outcome(without.ready)).message.replace(/\\d+/, 'N'), without.status])`)
    expect({ reports, stderr, code }).toEqual({
      reports: [true, 'ERR_NOT_READY', ["the child N was launched without the option 'ready'", null]],
      stderr: '',
      code: 0,
    })
  })

  it.each(conventions)('keep the event loop alive only while ready is awaited: %s', async ready => {
    const say = ready === 'sd_notify' ? 'systemd-notify --ready || python3 -c "$PROGRAM"' : 'echo >&3'
    const { reports, code, stderr } = await runNode(
      `
      const start = script => launch('/bin/sh', ['-c', script], { trace: false, stdio: 'ignore', ready: '${ready}' })
      const child = await start('sleep 0.2; ${say}; exec sleep 1000')
      child.unref()
      await child.ready
      report('ready')
      process.on('exit', () => child.kill('SIGKILL'))`,
      { env: { ...process.env, PROGRAM: notify('READY=1') } },
    )
    expect({ reports, code, stderr }).toEqual({ reports: ['ready'], code: 0, stderr: '' })
  })

  it.each(conventions)('leave no descriptor, whichever way the launch and the program end: %s', async ready => {
    const before = openDescriptors().size
    await rejection(launch('/no/such/program', [], { ready }))
    await rejection(launch('/bin/true', [], { ready, beforeExec: () => Promise.reject(new Error('no')) }))
    const child = await shell('exec sleep 1000', { ready })
    await child[Symbol.asyncDispose]()
    await rejection(child.ready)
    const tracee = await launch('/bin/true', [], { ready, stdio: 'ignore' })
    await tracee.run()
    await rejection(tracee.ready)
    expect(openDescriptors().size).toBe(before)
  })

  it.each(conventions)('give the hook a promise that settles later: %s', async ready => {
    let settled: Promise<string> | undefined
    const tracee = await launch('/bin/true', [], {
      ready,
      stdio: 'ignore',
      beforeExec: child => {
        settled = rejection(child.ready).then(({ message }) => message)
      },
    })
    await tracee.run()
    expect(await settled).toMatch(/exited with 0 before it was ready$/)
  })

  it.skipIf(whyNoOrdinaryUser !== undefined).each(conventions)('work for an ordinary user: %s', async ready => {
    const script = ready === 'sd_notify' ? 'python3 -c "$PROGRAM"' : 'echo >&3'
    const options = { env: { ...process.env, PROGRAM: notify('READY=1\nSTATUS=up') } }
    const { reports, stderr } = await runNode(
      `const child = await launch('/bin/sh', ['-c', ${JSON.stringify(script)}], { trace: false, stdio: 'ignore', ready: '${ready}' })
       await child.ready
       report(child.status)
       await child.exited`,
      asNobody === undefined ? options : { ...options, behind: asNobody },
    )
    expect({ reports, stderr }).toEqual({ reports: [ready === 'sd_notify' ? 'up' : null], stderr: '' })
  })

  it.each(conventions)('work in a worker, whose end leaves nothing: %s', async ready => {
    const say = ready === 'sd_notify' ? ['python3', '-c', notify('READY=1')] : ['sh', '-c', 'echo >&3; sleep 0.01']
    const { reports, stderr } = await runNode(`
      const { Worker } = await import('node:worker_threads')
      const before = descriptors().length
      const worker = new Worker(\`
        import('\${${JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href)}}').then(async ({ launch }) => {
          const { parentPort } = await import('node:worker_threads')
          const [file, ...args] = ${JSON.stringify(say).replaceAll('\\', '\\\\').replaceAll('`', '\\`')}
          const child = await launch(file, args, { trace: false, stdio: 'ignore', ready: '${ready}' })
          await child.ready
          const other = await launch('/bin/sleep', ['1000'], { stdio: 'ignore', ready: '${ready}' })
          parentPort.postMessage(other.pid)
        })\`, { eval: true })
      const [pid] = await once(worker, 'message')
      await worker.terminate()
      try { process.kill(pid, 'SIGKILL') } catch {}
      report(descriptors().filter(([, target]) => /^socket|^pipe/.test(target)).length - 3 <= before)`)
    expect({ reports, stderr }).toEqual({ reports: [true], stderr: '' })
  })

  it.each([1, 'notify', null, 'sd-notify'])('refuse another word by name: %s', async word => {
    const error = await rejection(launch('/bin/true', [], { ready: word as never }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(error.message).toContain("'options.ready' must be one of 'notification-fd', 'sd_notify'")
  })
})

describe('in the simulated system', () => {
  it('a notification descriptor works', async () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/service', function* (process) {
      const fd = Number(process.env.find(entry => entry.startsWith('NOTIFICATION_FD='))?.slice(16))
      yield* process.sleep(100)
      yield* process.write(fd, bytes('\n'))
      yield* process.sleep(100)
      return 0
    })
    const child = await launch('/bin/service', { system: kernel.host, ...plain, ready: 'notification-fd' })
    await child.ready
    expect(kernel.host.now()).toBe(100)
    await child.exited
    const hasty = await launch('/bin/false', { system: kernel.host, ...plain, ready: 'notification-fd' })
    expect(await rejection(hasty.ready)).toMatchObject({ code: 'ERR_NOT_READY', status: { code: 1 } })
  })

  it.each([
    ['says so and ends', true, 0],
    ['ends without a word', false, 0],
    ['says so and ends, whatever one fault does', true, 1],
  ] as const)('a program that %s: ready settles under every schedule', async (_, speaks, faults) => {
    const { complete, failure } = await explore(
      async ({ kernel, system }) => {
        kernel.install('/bin/service', function* (process) {
          if (speaks) yield* process.write(3, bytes('\n'))
          return 3
        })
        const launching = launch('/bin/service', { system, ...plain, ready: 'notification-fd' })
        const child = await launching.catch(error => {
          if (faults === 0) throw error
          return undefined
        })
        const outcome = await child?.ready.then(
          () => 'ready',
          (error: NotReadyError) => error.status?.code,
        )
        if (faults === 0 && outcome !== (speaks ? 'ready' : 3)) throw new Error(`it is ${outcome}`)
        await child?.exited
      },
      { faults },
    )
    expect({ complete, failure: failure?.error.message }).toEqual({ complete: true, failure: undefined })
  })

  it('sd_notify is refused by name, as in any other System without such sockets', async () => {
    for (const system of [new SimulatedKernel().host, withCalls(new SimulatedKernel().host, {})]) {
      const error = await rejection(launch('/bin/true', { system, ready: 'sd_notify' }))
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
      expect(error.message).toContain("'options.ready' is not simulated")
    }
  })
})
