/** A launcher killed by SIGKILL at any instant leaves no child alive, stopped or not. */

import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rounds } from '../../support/rounds.ts'
import { hasCapability } from '../support/capabilities.ts'
import { describeNative } from '../support/native.ts'
import { reportsOf, startNode, whyNot } from '../support/node.ts'
import { stateOf, until, untilState } from '../support/processes.ts'
import { whyNoUserNamespace } from '../support/user-namespace.ts'

const launchers = rounds(15, 300)
const atOnce = 4
// Each round starts a Node process. A busy machine starts only a few per second.
const timeout = 300_000

/**
 * Launches and holds children forever, in every mode. The mark is in each child's arguments. Before exec a child
 * shows its parent's command line, so the mark is there too.
 */
const victim = (mark: string, options = '{}') => `
  const others = ${options}
  const mark = ${JSON.stringify(mark)}
  const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
  const lane = async n => {
    for (let i = n; ; i++) {
      const trace = i % 3 === 2 ? 'seize' : 'traceme'
      const memory = i % 4 === 3 ? 'copied' : 'shared'
      const beforeExec = i % 5 < 2 ? () => pause(i % 5) : undefined
      const tracee = await launch('/bin/sleep', ['600'], { trace, memory, beforeExec, argv0: mark, stdio: i % 2 ? 'pipe' : 'ignore', ...others })
      if (i % 7 === 0) tracee.cont()
      else if (i % 7 < 4) await tracee[Symbol.asyncDispose]()
      if (i > 60) await pause(50)
    }
  }
  openSystem()
  report('ready')
  lane(0)
  lane(1)`

/** The processes with the mark in their command line. */
function marked(mark: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(mark) && !'Z'.includes(stateOf(pid))
      } catch {
        return false
      }
    })
}

describeNative('a launcher that is killed', () => {
  /** Starts and kills so many launchers, a few at once. */
  async function killAtRandom(count: number, options?: string): Promise<void> {
    const mark = `tracegate-orphan-${process.pid}-${Date.now()}`
    let next = 0
    let killed = 0
    const lane = async () => {
      while (next++ < count) {
        const child = startNode(victim(mark, options))
        const closed = once(child, 'exit')
        await reportsOf(child).next()
        if (killed === 0) expect(marked(mark), 'what is looked for is found while it lives').toContain(child.pid)
        await new Promise(resolve => setTimeout(resolve, Math.random() * 25))
        child.kill('SIGKILL')
        expect(await closed).toEqual([null, 'SIGKILL'])
        child.stdin?.destroy()
        child.stderr?.destroy()
        killed++
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    expect(killed).toBe(count)
    await until('no child of a killed launcher is alive', () => marked(mark).length === 0)
  }

  it.skipIf(whyNot('true') !== undefined)('at random instants leaves no child alive', { timeout }, () =>
    killAtRandom(launchers),
  )

  const uid = process.getuid!()
  const gid = process.getgid!()

  it.skipIf(whyNot('true') !== undefined || whyNoUserNamespace !== undefined).each([
    ['in a pid namespace', "{ namespaces: ['user', 'pid'] }"],
    [
      'in namespaces, as another user',
      `{ memory: 'auto', namespaces: ['user', 'pid', 'mnt'], uidMap: [[5, ${uid}, 1]], gidMap: [[6, ${gid}, 1]], uid: 5, gid: 6 }`,
    ],
  ])('at random instants leaves no child alive %s', { timeout }, (_, options) => killAtRandom(launchers / 5, options))

  it.skipIf(whyNot('true') !== undefined || !hasCapability('CAP_SETUID'))(
    'at random instants leaves no child alive as another user',
    { timeout },
    () => killAtRandom(launchers / 5, "{ memory: 'auto', uid: 65534, gid: 65534 }"),
  )

  it.skipIf(whyNot('true') !== undefined).each([
    ['held at its exec', `{}`, ''],
    ['held, seized', `{ trace: 'seize' }`, ''],
    ['held, its memory copied', `{ memory: 'copied' }`, ''],
    ['running, traced', `{}`, 'tracee.cont()'],
    ['running, seized', `{ trace: 'seize' }`, 'tracee.cont()'],
  ])('leaves no child: %s', async (_, options, then) => {
    const child = startNode(
      `const tracee = await launch('/bin/sleep', ['600'], ${options}); ${then}; report(tracee.pid)`,
    )
    const closed = once(child, 'close')
    const pid = Number((await reportsOf(child).next()).value)
    expect(stateOf(pid)).toMatch(/[tRSD]/)
    child.kill('SIGKILL')
    await closed
    await untilState(pid, 'goneZ')
  })

  it.skipIf(whyNot('true') !== undefined).each(['traceme', 'seize'])(
    'at its gate takes the child along, exitKill or not (%s)',
    async trace => {
      const child = startNode(`
      await launch('/bin/sleep', ['600'], { trace: ${JSON.stringify(trace)}, exitKill: false, beforeExec: child => { report(child.pid); return new Promise(() => {}) } })`)
      const closed = once(child, 'close')
      const pid = Number((await reportsOf(child).next()).value)
      child.kill('SIGKILL')
      await closed
      await untilState(pid, 'goneZ')
    },
  )

  it.skipIf(whyNot('true') !== undefined).each([
    ['held with exitKill false', `launch('/bin/sleep', ['600'], { exitKill: false, stdio: 'ignore' })`],
    [
      'held, seized, with exitKill false',
      `launch('/bin/sleep', ['600'], { trace: 'seize', exitKill: false, stdio: 'ignore' })`,
    ],
    ['untraced', `launch('/bin/sleep', ['600'], { trace: false, stdio: 'ignore' })`],
  ])('leaves a child alive that was to outlive it: %s', async (_, launching) => {
    const child = startNode(`const started = await ${launching}; report(started.pid)`)
    const closed = once(child, 'close')
    const pid = Number((await reportsOf(child).next()).value)
    child.kill('SIGKILL')
    await closed
    await untilState(pid, 'S')
    expect(readFileSync(`/proc/${pid}/comm`, 'latin1')).toBe('sleep\n')
    process.kill(pid, 'SIGKILL')
    await untilState(pid, 'goneZ')
  })
})
