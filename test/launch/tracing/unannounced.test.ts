/** Children that no event has announced, since their creator was killed first; and what else disposal must not miss. */

import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { constants } from '../../../lib/system/constants.ts'
import { rounds } from '../../support/rounds.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { running, stateOf, statusOf, until } from '../support/processes.ts'

const title = `a child that was not announced${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('is found', () => {})
  const folder = temporaryFolder()
  const forks = compile(folder, 'forks')
  const threads = compile(folder, 'threads')

  /**
   * A program of two threads: the second one has forked, and its event is not taken yet, when the main one ends both
   * by what stands in `end`. Resolves once the main one has.
   */
  async function forkedAndEnded(options: { trace: 'traceme' | 'seize'; follow: 'all' | false }, end: string) {
    const [childIn, toFork] = system.pipe2(constants.O_CLOEXEC)
    const [mainIn, toEnd] = system.pipe2(constants.O_CLOEXEC)
    const script = `t(r0f(p)p)r3${end}`
    const tracee = await launch(threads, [script, '/bin/true'], { ...options, stdio: [childIn, 'ignore', 2, mainIn] })
    system.close(childIn)
    system.close(mainIn)
    // Has the births of children announced where they are not followed.
    if (options.follow === false) tracee.breakpoint(tracee.registers().pc)
    const run = tracee.run()
    const tasks = () => readdirSync(`/proc/${tracee.pid}/task`).map(Number)
    await until('both threads wait', () => tasks().length === 2 && tasks().every(tid => stateOf(tid) === 'S'))
    const [thread = 0] = tasks().filter(tid => tid !== tracee.pid)
    system.write(toFork, Uint8Array.of(1))
    while (stateOf(thread) !== 't') {}
    system.write(toEnd, Uint8Array.of(1))
    while (tasks().length === 2 && stateOf(thread) === 't') {}
    system.close(toFork)
    system.close(toEnd)
    return { tracee: tracee as unknown as Tracee, run }
  }

  it.each(tracings)('ends with its tree, disposed of at any moment (%s)', async trace => {
    for (let round = 0; round < 40; round += rounds(4, 1)) {
      await using tracee = await launch(forks, [], { trace, follow: 'all', stdio: 'ignore' })
      let stops = 0
      tracee.cont()
      for await (const { thread, stop } of tracee.everyStop()) {
        if (++stops > 5 + round * 3) break
        thread.cont(stop.event ? undefined : stop.signal)
      }
    }
    await until('none is left', () => running(forks).length === 0)
  })

  it.each(tracings)('ends with its tree that was run, disposed of at any moment (%s)', async trace => {
    for (let round = 0; round < 20; round += rounds(4, 1)) {
      await using tracee = await launch(forks, [], { trace, follow: 'all', stdio: 'ignore' })
      void tracee.run()
      await until('it has children', () => tracee.children.size > round * 2)
    }
    await until('none is left', () => running(forks).length === 0)
  })

  const ends = ['x0', 'x5', 'E'] as const
  const ways = tracings.flatMap(trace => ends.map(end => ({ trace, end })))

  it.each(ways)('is found where another thread ends the creator ($trace, by $end)', async ({ trace, end }) => {
    const { tracee, run } = await forkedAndEnded({ trace, follow: 'all' }, end)
    await using _ = tracee
    expect(await run).toMatchObject({ code: end === 'x5' ? 5 : 0 })
    await until('it is followed', () => tracee.children.size === 1)
    const [child] = tracee.children.values()
    expect(child?.parent).toBe(tracee)
    await until('run() has it go on', () => stateOf(child!.pid) === 'S')
    expect(statusOf(child!.pid, 'TracerPid')).not.toBe(0)
    await tracee[Symbol.asyncDispose]()
    expect(await child?.exited).toMatchObject({ signal: 'SIGKILL' })
    expect(running(threads)).toEqual([])
  })

  it.each(ways)('that is not followed goes on untraced ($trace, by $end)', async ({ trace, end }) => {
    const { tracee, run } = await forkedAndEnded({ trace, follow: false }, end)
    await using _ = tracee
    expect(await run).toMatchObject({ code: end === 'x5' ? 5 : 0 })
    await until('the child is let go', () => running(threads).some(pid => stateOf(pid) === 'S'))
    const [child = 0] = running(threads)
    expect(statusOf(child, 'TracerPid')).toBe(0)
    system.kill(child, 'SIGKILL')
    await until('it is gone', () => running(threads).length === 0)
  })

  /** A tracee at the event of its fork, which is not taken. Its name in ps(1) is its child's, too. */
  async function atUntakenFork(name: string, options: { trace: 'traceme' | 'seize'; follow: 'all' | false }) {
    const [childIn, toFork] = system.pipe2(constants.O_CLOEXEC)
    const stdio = [childIn, 'ignore', 2] as const
    const tracee = await launch(threads, ['r0f(p)p', name], { ...options, stdio })
    system.close(childIn)
    if (options.follow === false) tracee.breakpoint(tracee.registers().pc)
    const run = tracee.run()
    await until('it waits', () => stateOf(tracee.pid) === 'S')
    const fork = () => {
      system.write(toFork, Uint8Array.of(1))
      system.close(toFork)
      while (stateOf(tracee.pid) !== 't') {}
    }
    return { tracee: tracee as unknown as Tracee, run, fork }
  }

  const named = (name: string) => running(threads, name)

  const pairs = tracings.flatMap(trace => tracings.map(other => ({ trace, other })))

  it.each(pairs)('is its own creator’s where others were killed with it ($trace, $other)', async ({ trace, other }) => {
    const unfollowed = await atUntakenFork('other', { trace: other, follow: false })
    const followed = await atUntakenFork('followed', { trace, follow: 'all' })
    const another = await atUntakenFork('another', { trace: other, follow: 'all' })
    await using _followed = followed.tracee
    await using _another = another.tracee
    const all = [unfollowed, followed, another]
    for (const each of all) each.fork()
    for (const each of all) system.kill(each.tracee.pid, 'SIGKILL')
    for (const each of all) expect(await each.run).toMatchObject({ signal: 'SIGKILL' })
    await until('each child goes on', () => {
      const children = ['other', 'followed', 'another'].flatMap(named)
      return children.length === 3 && children.every(pid => stateOf(pid) === 'S')
    })
    for (const [name, { tracee }] of [
      ['followed', followed],
      ['another', another],
    ] as const) {
      expect([...tracee.children.keys()], name).toEqual(named(name))
      expect(
        [...tracee.children.values()].map(child => child.tracing),
        name,
      ).toEqual([tracee.tracing])
    }
    const [untraced = 0] = named('other')
    expect(statusOf(untraced, 'TracerPid')).toBe(0)
    system.kill(untraced, 'SIGKILL')
    await another.tracee[Symbol.asyncDispose]()
    await until('the other tree is gone', () => named('another').length === 0 && named('other').length === 0)
    expect(named('followed')).toHaveLength(1)
  })

  it.each(tracings)('is found where its creator is killed, and ends with the tree (%s)', async trace => {
    let found = 0
    for (let round = 0; round < 10; round++) {
      const [childIn, toFork] = system.pipe2(constants.O_CLOEXEC)
      await using tracee = await launch(threads, ['r0f(p)p'], { trace, follow: 'all', stdio: [childIn, 'ignore', 2] })
      system.close(childIn)
      const run = tracee.run()
      await until('it waits', () => stateOf(tracee.pid) === 'S')
      system.write(toFork, Uint8Array.of(1))
      while (stateOf(tracee.pid) !== 't') {}
      system.kill(tracee.pid, 'SIGKILL')
      expect(await run).toMatchObject({ signal: 'SIGKILL' })
      system.close(toFork)
      await until('it is followed', () => tracee.children.size === 1)
      found += tracee.children.size
      // Half of them while they start.
      const [child] = tracee.children.values()
      if (round % 2) await until('run() has it go on', () => stateOf(child!.pid) === 'S')
    }
    expect(found).toBe(10)
    await until('none is left', () => running(threads).length === 0)
  })
})
