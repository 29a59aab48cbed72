/** Children of tracees that are not as most: of another parent, of another PID namespace. */

import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { constants } from '../../../lib/system/constants.ts'
import { childrenOfThisProcess } from '../../support/process-table.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'
import { textOf } from '../support/streams.ts'
import { whyNoUserNamespace } from '../support/user-namespace.ts'

const title = `an unusual child of a tracee${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const kinds = ['clone-parent', 'clone-parent-quiet'] as const
const ways = tracings.flatMap(trace => kinds.map(kind => ({ trace, kind })))

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('is followed', () => {})
  const program = compile(temporaryFolder(), 'relatives', ['-pthread'])

  const ofThisProcess = () => [...childrenOfThisProcess().keys()]

  it.each(ways)('whose parent is this process is followed, and reaped ($trace, $kind)', async ({ trace, kind }) => {
    await using started = await launch(program, [kind], { trace, follow: 'all', stdio: ['pipe', 'pipe', 'inherit'] })
    const tracee = started as unknown as Tracee
    const run = tracee.run()
    await until('its child is followed', () => tracee.children.size === 1)
    const [child] = tracee.children.values()
    expect(ofThisProcess()).toContain(child?.pid)
    expect(child?.parent).toBe(tracee)
    started.stdin.end('x')
    expect(await run).toMatchObject({ code: 4 })
    expect(await child?.exited).toMatchObject({ code: 3 })
    expect(ofThisProcess()).not.toContain(child?.pid)
  })

  const deaths = ways.flatMap(way => tracings.map(dead => ({ ...way, dead })))

  // The kernel lists the newborn before its creator, and a tracee that was killed may have left a child that nothing
  // announces any more.
  it.each(deaths)(
    'whose parent is this process belongs to its creator, not to a tracee killed before ($trace, $kind, $dead)',
    async ({ trace, kind, dead }) => {
      const killed = await launch('/bin/cat', [], { trace: dead, stdio: ['pipe', 'ignore', 'inherit'] })
      killed.cont()
      killed.kill('SIGKILL')
      await killed.exited
      // With another tracee there is a search among all of them.
      await using _ = await launch('/bin/true', [], { trace })
      await using started = await launch(program, [kind], { trace, follow: 'all', stdio: ['pipe', 'pipe', 'inherit'] })
      const tracee = started as unknown as Tracee
      const before = ofThisProcess()
      tracee.cont()
      // Nothing is taken before both have stopped.
      const hasStopped = (pid: number | undefined) => pid !== undefined && stateOf(pid) === 't'
      const newborn = () => ofThisProcess().find(pid => !before.includes(pid))
      const end = system.now() + 10_000
      while (!(hasStopped(newborn()) && hasStopped(tracee.pid)) && system.now() < end) {}
      const run = tracee.run()
      await until('its child is followed', () => tracee.children.size === 1)
      const [child] = tracee.children.values()
      started.stdin.end('x')
      expect(await run).toMatchObject({ code: 4 })
      expect(await child?.exited).toMatchObject({ code: 3 })
    },
  )

  it.each(ways)('whose parent is this process stays its child when it is let go ($trace, $kind)', async way => {
    const { trace, kind } = way
    for (const how of ['detach', 'handOff'] as const) {
      await using started = await launch(program, [kind], { trace, follow: 'all', stdio: ['pipe', 'pipe', 'inherit'] })
      const tracee = started as unknown as Tracee
      const run = tracee.run()
      await until('its child is followed', () => tracee.children.size === 1)
      const [child] = tracee.children.values()
      await child?.[how]()
      if (how === 'handOff') {
        expect(stateOf(child!.pid)).toBe('T')
        child?.kill('SIGCONT')
      }
      started.stdin.end('x')
      expect(await run).toMatchObject({ code: 4 })
      expect(await child?.exited).toMatchObject({ code: 3 })
      expect(ofThisProcess(), 'no zombie').not.toContain(child?.pid)
    }
  })

  const { P_PID, WSTOPPED, WNOHANG, WNOWAIT, __WALL } = constants
  const hasStopPending = (pid: number) => system.waitid(P_PID, pid, WSTOPPED | WNOHANG | WNOWAIT | __WALL) !== null

  // Under 'traceme' the child is at the stop of a SIGSTOP, at which the hand-off lets it go at once.
  it.each(kinds)(
    'whose parent is this process is handed off while another tracee is waited for (seize, %s)',
    async kind => {
      const trace = 'seize'
      // With one more tracee the blocking wait is a search, which sees the stop of the hand-off.
      await using _ = await launch('/bin/true', [], { trace })
      let seen = 0
      // The hand-off itself takes a stop that comes at once.
      for (let left = 100; left > 0 && seen < 3; left--) {
        await using tracee = await launch(program, [kind], { trace, follow: 'all', stdio: ['pipe', 'pipe', 'inherit'] })
        const run = tracee.run()
        await until('its child is followed', () => tracee.children.size === 1)
        const [child] = tracee.children.values()
        await child?.stopAll()
        await using ending = await launch('/bin/true', [], { trace })
        const handOff = child?.handOff()
        for (const end = system.now() + 5; !hasStopPending(child!.pid) && system.now() < end; ) {}
        if (hasStopPending(child!.pid)) seen++
        ending.cont()
        expect(ending.waitSync()).toMatchObject({ kind: 'exited' })
        await handOff
        expect(stateOf(child!.pid)).toBe('T')
        child?.kill('SIGCONT')
        tracee.stdin.end('x')
        expect(await run).toMatchObject({ code: 4 })
        expect(await child?.exited).toMatchObject({ code: 3 })
      }
      expect(seen).toBeGreaterThan(0)
    },
  )

  it.each(ways)(
    'whose parent is this process is reaped though not followed ($trace, $kind)',
    async ({ trace, kind }) => {
      await using tracee = await launch(program, [kind], { trace, stdio: ['pipe', 'pipe', 'inherit'] })
      const before = ofThisProcess()
      // Has forks announced.
      tracee.breakpoint(tracee.registers().pc)
      const output = once(tracee.stdout, 'data')
      const run = tracee.run()
      expect(String((await output)[0])).toBe('started\n')
      const [child = 0] = ofThisProcess().filter(pid => !before.includes(pid))
      expect(statusOf(child, 'TracerPid')).toBe(0)
      tracee.stdin.end('x')
      expect(await run).toMatchObject({ code: 4 })
      await until('no zombie is left', () => !ofThisProcess().includes(child))
    },
  )

  const skip = whyNoUserNamespace
  it.skipIf(skip !== undefined).each(tracings)(
    `in a PID namespace of its own is known by the numbers of this process's (%s)${skip ? ` [skipped: ${skip}]` : ''}`,
    async trace => {
      await using started = await launch(program, ['pid-namespace'], {
        ...{ trace, follow: 'all', namespaces: ['user', 'pid'], uidMap: [[0, process.getuid?.() ?? 0, 1]] },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const tracee = started as unknown as Tracee
      const output = textOf(started.stdout)
      const senders: unknown[] = []
      tracee.cont()
      for await (const { thread, stop } of tracee.everyStop()) {
        expect(statusOf(thread.tid, 'TracerPid')).not.toBe(0)
        expect(thread.process.pid).toBe(statusOf(thread.tid, 'Tgid'))
        if (stop.signal === 'SIGUSR1') senders.push(thread.signalInfo().pid)
        thread.cont(stop.event ? undefined : stop.signal)
      }
      expect(await tracee.exited).toMatchObject({ code: 5 })
      const [first] = tracee.children.values()
      expect(await first?.exited).toMatchObject({ code: 6 })
      const [child] = first!.children.values()
      expect(await child?.exited).toMatchObject({ code: 5 })
      const lines = (await output).trim().split('\n').sort()
      // The thread takes the number 2.
      expect(lines).toEqual(['child 3', 'first 1', 'signal 10 from 1', 'signal 10 from 3', 'thread 2'].sort())
      expect(senders).toEqual([1, 3])
      expect(new Set([tracee.pid, first?.pid, child?.pid]).size).toBe(3)
    },
  )

  it.skipIf(skip !== undefined).each(tracings)(
    `in a PID namespace of its own is stopped, and runs to its end (%s)${skip ? ` [skipped: ${skip}]` : ''}`,
    async trace => {
      await using started = await launch(program, ['pid-namespace'], {
        ...{ trace, follow: 'all', namespaces: ['user', 'pid'], uidMap: [[0, process.getuid?.() ?? 0, 1]] },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const tracee = started as unknown as Tracee
      const output = textOf(started.stdout)
      const run = tracee.run()
      await until('the first of the namespace is followed', () => tracee.children.size === 1)
      const [first] = tracee.children.values()
      for (let i = 0; i < 5 && first?.tracing !== null && first?.mainThread.end === null; i++) {
        await first.stopAll().catch(error => expect(error).toMatchObject({ code: 'ESRCH' }))
        if (first.mainThread.end === null) first.contAll()
      }
      expect(await run).toMatchObject({ code: 5 })
      expect((await output).trim().split('\n').sort()).toContain('signal 10 from 3')
    },
  )
})
