/** child.terminate() of a process group: its leader, its members, and nothing left of them. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compileFixture, whyNoCompiler } from '../../support/c-program.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { stateOf, until, untilState } from '../support/processes.ts'
import { started, waits } from '../support/started.ts'

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

function ignoresSigterm(pid: number): boolean {
  const mask = /^SigIgn:\s+(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${mask}`) & (1n << 14n)) !== 0n
}
