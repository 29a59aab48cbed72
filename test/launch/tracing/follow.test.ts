/** follow: 'all': the processes that a tracee starts, and theirs. */

import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { uncaughtDuring } from '../../support/uncaught.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { whyNot } from '../support/node.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'

describeNative('the processes that a tracee starts', system => {
  const family = (tracee: Tracee): number =>
    [...tracee.children.values()].reduce((sum, child) => sum + family(child), 1)

  it.each(tracings)('are followed, and theirs (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', '(/bin/true; /bin/true) | cat; /bin/true; exit 3'], {
      trace,
      follow: 'all',
      stdio: 'ignore',
    })
    const followed: Tracee[] = []
    const listen = (parent: Tracee) => {
      parent.on('follow', child => {
        expect(child).toBeInstanceOf(Tracee)
        expect(child.parent).toBe(parent)
        expect(parent.children.get(child.pid)).toBe(child)
        followed.push(child)
        listen(child)
      })
    }
    listen(tracee)
    const seen: string[] = []
    const born = new Set<Tracee>()
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      const kind = stop.reason ?? stop.event ?? stop.signal
      seen.push(kind)
      if (kind === 'birth') {
        expect(born.has(thread.process)).toBe(false)
        born.add(thread.process)
      } else if (thread.process !== tracee) expect(born.has(thread.process), 'a birth is the first stop').toBe(true)
      if (kind === 'fork' || kind === 'vfork') expect(followed).toContain(stop.child)
      thread.cont(stop.event ? undefined : stop.signal)
    }
    expect(await tracee.exited).toMatchObject({ code: 3 })
    expect(family(tracee)).toBe(followed.length + 1)
    expect(followed.length).toBeGreaterThanOrEqual(4)
    expect(seen.filter(kind => kind === 'exec').length).toBe(4)
    for (const child of followed) expect(await child.exited).toMatchObject({ code: 0 })
  })

  it.each(tracings)('are run by run() (%s)', async trace => {
    const script = 'for i in 1 2 3 4 5; do /bin/true & done; wait; exit 4'
    await using tracee = await launch('/bin/sh', ['-c', script], { trace, follow: 'all', stdio: 'ignore' })
    expect(await tracee.run()).toMatchObject({ code: 4 })
    expect(tracee.children.size).toBe(5)
  })

  it('are followed all the same where a listener throws', async () => {
    await using tracee = await launch('/bin/sh', ['-c', '/bin/true; /bin/true; exit 4'], {
      follow: 'all',
      stdio: 'ignore',
    })
    const faults: Error[] = []
    const fault = (what: string) => () => {
      faults.push(new Error(what))
      throw faults.at(-1)!
    }
    const uncaught = await uncaughtDuring(async () => {
      tracee.on('follow', fault('follow'))
      tracee.on('stop', fault('a stop, heard of at the process'))
      tracee.mainThread.on('stop', fault('a stop, heard of at the thread'))
      expect(await tracee.run()).toMatchObject({ code: 4 })
    })
    expect(tracee.children.size).toBe(2)
    expect(uncaught).toEqual(expect.arrayContaining(faults))
  })

  it.each(tracings)('are each handed off at their exec, and their own parent gets their exit (%s)', async trace => {
    const script = '/bin/sh -c "exit 7"; echo $?; /bin/true; echo $?'
    await using tracee = await launch('/bin/sh', ['-c', script], {
      trace,
      follow: 'all',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    tracee.stdout.on('data', chunk => {
      text += chunk
    })
    const ends: Promise<unknown>[] = []
    tracee.cont()
    for await (const { thread, stop } of (tracee as unknown as Tracee).everyStop()) {
      if (stop.event !== 'exec') {
        thread.cont(stop.event ? undefined : stop.signal)
        continue
      }
      const child = thread.process
      await child.handOff()
      expect(stateOf(child.pid)).toBe('T')
      expect(statusOf(child.pid, 'TracerPid')).toBe(0)
      ends.push(child.exited.catch(error => error.message))
      expect(child.kill('SIGCONT')).toBe(true)
    }
    expect(await tracee.exited).toMatchObject({ code: 0 })
    await until('the output has come', () => text === '7\n0\n')
    for (const end of await Promise.all(ends)) {
      if (typeof end === 'string') expect(end).toContain('Linux 6.15')
      else expect(end).toMatchObject({ kind: 'exited' })
    }
  })

  it.each(tracings)('end with the tracee when it is disposed of (%s)', async trace => {
    const tracee = await launch('/bin/sh', ['-c', '/bin/sleep 100 & /bin/sleep 100 & wait'], {
      trace,
      follow: 'all',
      stdio: 'ignore',
    })
    const end = tracee.run()
    await until('two children are followed', () => tracee.children.size === 2)
    const pids = [...tracee.children.keys()]
    await tracee[Symbol.asyncDispose]()
    expect(await end).toMatchObject({ signal: 'SIGKILL' })
    await until('they are gone', () => pids.every(pid => !existsSync(`/proc/${pid}`) || stateOf(pid) === 'Z'))
  })

  it.each(tracings)('are found where they were never announced (%s)', async trace => {
    for (let round = 0; round < 10; round++) {
      const tracee = await launch('/bin/sh', ['-c', '/bin/sleep 100 & wait'], { trace, follow: 'all', stdio: 'ignore' })
      await using _ = tracee
      tracee.cont()
      // Its event of fork is not taken: this blocks the event loop until the child is born.
      const end = performance.now() + 20_000
      while (stateOf(tracee.pid) !== 't' && performance.now() < end) {}
      system.kill(tracee.pid, 'SIGKILL')
      await tracee.exited
      await until('the child is found or there is none', () =>
        [...tracee.children.values()].every(child => child.stop !== null || child.mainThread.end !== null),
      )
    }
  })

  it.each(tracings)('are asked for their exit, and vfork-done, where a loop wants to know (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', '/bin/true; exit 3'], { trace, follow: 'all', stdio: 'ignore' })
    const exits: unknown[] = []
    tracee.cont()
    await tracee.wait()
    for await (const { thread, stop } of tracee.everyStop({ events: ['exit'] })) {
      if (stop.event === 'exit') exits.push(stop.exitStatus)
      thread.cont(stop.event ? undefined : stop.signal)
    }
    expect(exits).toContainEqual({ kind: 'exited', code: 3, signal: null })
    expect(exits).toContainEqual({ kind: 'exited', code: 0, signal: null })
    await expect(tracee.everyStop({ events: ['nope' as never] }).next()).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })

  const make = whyNot('make')
  it.skipIf(make !== undefined).each(tracings)('of a parallel build are all seen (%s)', async trace => {
    const rules = `all: ${Array.from({ length: 40 }, (_, i) => `t${i}`).join(' ')}\nt%:\n\t@/bin/true\n`
    await using tracee = await launch('make', ['-j', '8', '-f', '-'], {
      trace,
      follow: 'all',
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    tracee.stdin.end(rules)
    expect(await tracee.run()).toMatchObject({ code: 0 })
    expect(tracee.children.size).toBeGreaterThanOrEqual(40)
  })
})
