/** child.terminate(): a signal, a grace, and SIGKILL, for a child alone or with its group. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Child } from '../../../lib/launch/handles/child.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import type { System } from '../../../lib/system/system.ts'
import { rejection } from '../../contract/helpers.ts'
import { compileFixture, whyNoCompiler } from '../../support/c-program.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { stateOf, until, untilState } from '../support/processes.ts'

const waits = 'while :; do sleep 0.01; done'

/** Launches a shell script and waits until it prints its first line, which is returned. */
async function started(
  script: string,
  options: { detached?: boolean; system?: System } = {},
): Promise<[Child, string]> {
  const child = await launch('/bin/sh', ['-c', script], {
    trace: false,
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  })
  const line = await new Promise<string>(resolve => child.stdout.once('data', chunk => resolve(String(chunk))))
  return [child, line.trim()]
}

describeNative('terminate', () => {
  it('sends SIGTERM and resolves with the end, as exited does but for the usage', async () => {
    const [child] = await started('echo ready; exec sleep 1000')
    expect(await child.terminate()).toEqual({ kind: 'signaled', code: null, signal: 'SIGTERM', coreDumped: false })
    expect(await child.exited).toMatchObject({ signal: 'SIGTERM', rusage: {} })
  })

  it('lets a program that handles the signal end by itself', async () => {
    const [child] = await started(`trap 'exit 5' TERM; echo ready; ${waits}`)
    const exited = { kind: 'exited', code: 5, signal: null }
    expect(await child.terminate({ graceMs: 60_000 })).toEqual(exited)
  })

  it('takes another signal', async () => {
    const [child] = await started(`trap 'exit 6' HUP; echo ready; ${waits}`)
    expect(await child.terminate({ signal: 'SIGHUP', graceMs: 60_000 })).toMatchObject({ code: 6 })
  })

  it('kills after the grace, and not before', async () => {
    const [child] = await started(`trap '' TERM; echo ready; ${waits}`)
    const begun = performance.now()
    expect(await child.terminate({ graceMs: 120 })).toMatchObject({ signal: 'SIGKILL' })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(119)
  })

  it('waits without end where the grace is infinite', async () => {
    const [child] = await started(`n=0; trap 'n=$((n+1)); [ $n = 2 ] && exit 3; echo once' TERM; echo ready; ${waits}`)
    const once = new Promise(resolve => child.stdout!.once('data', resolve))
    const ended = child.terminate({ graceMs: Number.POSITIVE_INFINITY })
    // A second signal that comes before the shell has taken the first is one with it.
    await once
    child.kill()
    expect(await ended).toMatchObject({ code: 3 })
  })

  it('continues a stopped program, which ends by the signal', async () => {
    const [child] = await started('echo ready; exec sleep 1000')
    child.kill('SIGSTOP')
    await untilState(child.pid, 'T')
    expect(await child.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
  })

  it('keeps the event loop alive, even for a child that does not', async () => {
    const { stdout } = await runNode(`
      const child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
      child.unref()
      report((await child.terminate()).signal)`)
    expect(stdout).toBe('"SIGTERM"\n')
  })

  it('called twice settles twice, and the shorter grace counts', async () => {
    const [child] = await started(`trap '' TERM; echo ready; ${waits}`)
    const both = [child.terminate({ graceMs: 60_000 }), child.terminate({ graceMs: 0 })]
    expect(await Promise.all(both)).toMatchObject([{ signal: 'SIGKILL' }, { signal: 'SIGKILL' }])
  })

  it('after the end sends nothing', async () => {
    const sent: unknown[] = []
    const real = openSystem('native')
    const kill = (pid: number, signal: never) => {
      sent.push(signal)
      real.kill(pid, signal)
    }
    const child = await launch('/bin/true', [], { trace: false, system: withCalls(real, { kill }) })
    await child.exited
    expect(await child.terminate()).toEqual({ kind: 'exited', code: 0, signal: null })
    expect(sent).toEqual([])
  })

  it('rejects as exited does where other code has reaped the child', async () => {
    const child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
    openSystem('native').kill(child.pid, 'SIGKILL')
    openSystem('native').waitpid(child.pid)
    expect(await rejection(child.terminate())).toMatchObject({ code: 'ECHILD' })
  })

  it('in beforeExec ends the launch', async () => {
    let ended: Promise<unknown> | undefined
    const launching = launch('/bin/true', [], {
      beforeExec: async child => {
        ended = child.terminate()
        await ended
      },
    })
    expect(await rejection(launching)).toMatchObject({ code: 'ERR_CHILD_DIED' })
    expect(await ended).toMatchObject({ signal: 'SIGTERM' })
  })

  it('refuses what cannot be, before it sends anything', async () => {
    const [child] = await started('echo ready; exec sleep 1000')
    for (const [wrong, code] of [
      [{ signal: 'SIGNONE' }, 'ERR_UNKNOWN_SIGNAL'],
      [{ signal: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ signal: 65 }, 'ERR_OUT_OF_RANGE'],
      [{ graceMs: '1' }, 'ERR_INVALID_ARG_TYPE'],
      [{ graceMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ group: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ group: true }, 'ERR_INVALID_ARG_VALUE'],
      [{ grace: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      expect(await rejection(child.terminate(wrong as never)), JSON.stringify(wrong)).toMatchObject({ code })
    }
    expect(stateOf(child.pid)).toMatch(/[SRD]/)
    await child.terminate()
  })
})

describeNative('terminate of a process group', () => {
  const tree = `sh -c 'trap "" TERM; ${waits}' & echo $!; `

  it('ends a tree whose leader obeys and whose rest ignores the signal', async () => {
    const [child, member] = await started(`${tree} wait`, { detached: true })
    await until('the trap is set', () => ignoresSigterm(Number(member)))
    expect(await child.terminate({ graceMs: 150 })).toMatchObject({ signal: 'SIGTERM' })
    expect('ZX gone').toContain(stateOf(Number(member)))
  })

  it('ends a tree that ignores the signal as a whole', async () => {
    const [child, member] = await started(`trap "" TERM; ${tree} ${waits}`, { detached: true })
    expect(await child.terminate({ graceMs: 50 })).toMatchObject({ signal: 'SIGKILL' })
    expect('ZX gone').toContain(stateOf(Number(member)))
  })

  it('waits for the rest, and kills none that ends within the grace', async () => {
    const [child, member] = await started(
      `sh -c 'trap "sleep 0.1; exit" TERM; echo $$; while :; do sleep 0.01; done' & wait`,
      { detached: true },
    )
    const begun = performance.now()
    expect(await child.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
    expect(performance.now() - begun).toBeLessThan(60_000)
    expect('ZX gone').toContain(stateOf(Number(member)))
  })

  it('leaves the rest where the child alone is asked for', async () => {
    const [child, member] = await started(`${tree} exec sleep 1000`, { detached: true })
    expect(await child.terminate({ group: false })).toMatchObject({ signal: 'SIGTERM' })
    expect(stateOf(Number(member))).toMatch(/[SRD]/)
    process.kill(Number(member), 'SIGKILL')
    await untilState(Number(member), 'ZXgone')
  })

  it('is the child alone where it leads none', async () => {
    const [child, member] = await started(`${tree} exec sleep 1000`)
    expect(await child.terminate()).toMatchObject({ signal: 'SIGTERM' })
    expect(stateOf(Number(member))).toMatch(/[SRD]/)
    process.kill(Number(member), 'SIGKILL')
    await untilState(Number(member), 'ZXgone')
  })
})

/** Ends a tree that ignores SIGTERM, and then one that obeys, in a process of its own. */
const groups = `
  const start = async script => {
    const child = await launch('/bin/sh', ['-c', script], { trace: false, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    return [child, Number(await once(child.stdout, 'data'))]
  }
  const isAlive = pid => { try { return !/^State:\\s+[ZX]/m.test(fs.readFileSync('/proc/' + pid + '/status', 'utf8')) } catch { return false } }
  for (const leader of ['trap "" TERM; ', '']) {
    const [child, member] = await start(leader + "sh -c 'trap \\"\\" TERM; echo $$; while :; do sleep 0.01; done' & wait; wait; sleep 1000")
    const open = descriptors().length
    const { signal } = await child.terminate({ graceMs: 100 })
    if (!child.stdout.closed) await once(child.stdout, 'close')
    report([signal, isAlive(member), descriptors().length < open])
  }`
const groupsEnded = [
  ['SIGKILL', false, true],
  ['SIGTERM', false, true],
]

describeNative('terminate, leaving nothing,', () => {
  it.skipIf(whyNoCompiler !== undefined).each([
    ['pidfd_open', 'ENOSYS', '38'],
    ['pidfd_open', 'EPERM', '1'],
    ['pidfd_send_signal', 'ENOSYS', '38'],
    ['pidfd_send_signal', 'EINVAL, as before 6.9 for groups', '22'],
  ])('where %s fails with %s', async (call, _, errno) => {
    const behind = [compileFixture('restricted'), '--errno', errno, '--refuse', call, '--']
    const { reports, stderr } = await runNode(groups, { behind })
    expect({ reports, stderr }).toEqual({ reports: groupsEnded, stderr: '' })
  })

  it.skipIf(whyNoOrdinaryUser !== undefined)('as an ordinary user', async () => {
    const { reports, stderr } = await runNode(groups, asNobody === undefined ? {} : { behind: asNobody })
    expect({ reports, stderr }).toEqual({ reports: groupsEnded, stderr: '' })
  })

  it('in a worker', async () => {
    const { reports, stderr } = await runNode(`
      const { Worker } = await import('node:worker_threads')
      const { pathToFileURL } = await import('node:url')
      const worker = new Worker(\`
        import(\${JSON.stringify(pathToFileURL('dist/index.js').href)}).then(async ({ launch }) => {
          const child = await launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' })
          const { parentPort } = await import('node:worker_threads')
          parentPort.postMessage(await child.terminate())
        })\`, { eval: true })
      report((await once(worker, 'message'))[0].signal)`)
    expect({ reports, stderr }).toEqual({ reports: ['SIGTERM'], stderr: '' })
  })
})

describeNative('terminate of a tracee', () => {
  it.each(['traceme', 'seize'] as const)('at its exec stop runs it to its end: %s', async trace => {
    const tracee = await launch('/bin/sleep', ['1000'], { trace, stdio: 'ignore' })
    expect(await tracee.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
    expect(tracee.stop).toBeNull()
  })

  it.each(['traceme', 'seize'] as const)('lets its program handle the signal: %s', async trace => {
    const tracee = await launch('/bin/sh', ['-c', `trap 'exit 4' TERM; echo; ${waits}`], {
      trace,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    tracee.cont()
    await new Promise(resolve => tracee.stdout.once('data', resolve))
    expect(await tracee.terminate({ graceMs: 60_000 })).toMatchObject({ code: 4 })
  })

  it.each(['traceme', 'seize'] as const)(
    'kills one that ignores it, while a loop passes its stops on: %s',
    async trace => {
      const tracee = await launch('/bin/sh', ['-c', `trap '' TERM; echo; ${waits}`], {
        trace,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const loop = (async () => {
        for await (const stop of tracee.stops()) tracee.cont(stop.event ? undefined : stop.signal)
      })()
      await new Promise(resolve => tracee.stdout.once('data', resolve))
      expect(await tracee.terminate({ graceMs: 100 })).toMatchObject({ signal: 'SIGKILL' })
      await loop
    },
  )

  it('that was handed off continues it', async () => {
    const tracee = await launch('/bin/sleep', ['1000'], { stdio: 'ignore' })
    await tracee.handOff()
    expect(await tracee.terminate({ graceMs: 60_000 })).toMatchObject({ signal: 'SIGTERM' })
  })
})

describe('terminate in the simulated system', () => {
  const stubborn = function* (process: Parameters<Parameters<SimulatedKernel['install']>[1]>[0]) {
    yield* process.sigaction('SIGTERM', 'ignore')
    for (;;) yield* process.sleep(1000)
  }

  it('ends a program by the signal, or after the grace', async () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/stubborn', stubborn)
    const sleeper = await launch('/bin/sleep', ['1000'], { system: kernel.host, trace: false, stdio: 'ignore' })
    expect(await sleeper.terminate()).toMatchObject({ signal: 'SIGTERM' })
    const child = await launch('/bin/stubborn', { system: kernel.host, trace: false, stdio: 'ignore' })
    await kernel.host.sleep(1)
    const begun = kernel.host.now()
    expect(await child.terminate()).toMatchObject({ signal: 'SIGKILL' })
    expect(kernel.host.now() - begun).toBe(5000)
  })

  it('ends a group with its members', async () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/parent', function* (process) {
      yield* process.fork(stubborn)
      for (;;) yield* process.sleep(1000)
    })
    const child = await launch('/bin/parent', { system: kernel.host, trace: false, stdio: 'ignore', detached: true })
    await kernel.host.sleep(1)
    expect(await child.terminate({ graceMs: 100 })).toMatchObject({ signal: 'SIGTERM' })
    expect(() => kernel.host.kill(-child.pid, 0)).toThrow('ESRCH')
  })
})

function ignoresSigterm(pid: number): boolean {
  const mask = /^SigIgn:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & (1n << 14n)) !== 0n
}
