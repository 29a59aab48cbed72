/** Threads and children of a simulated tracee are followed as those on Linux are. */

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { attach } from '../../../lib/launch/attach.ts'
import type { TracedThread } from '../../../lib/launch/handles/traced-thread.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { Follow } from '../../../lib/launch/tracing/tasks/options.ts'
import { type Program, SimulatedKernel } from '../../../lib/sim/index.ts'
import type { System } from '../../../lib/system/system.ts'
import { scriptedThreads } from '../../support/scripted-threads.ts'
import { tracings } from '../support/modes.ts'

type Trace = (typeof tracings)[number]

interface Started {
  readonly tracee: Tracee
  /** Closes the pipe that the threads read from. */
  go(): void
  /** Resolves once nothing goes on by itself. */
  settled(): Promise<void>
}

/** Runs a script of test/fixtures/threads.c; 3 is the read end of a pipe. */
async function start(script: string, trace: Trace, follow: Follow): Promise<Started> {
  const host = world()
  const [read, write] = host.pipe2()
  const stdio = ['ignore', 'ignore', 'ignore', read] as const
  const tracee = await launch('/script', [script, '/next'], { system: host, trace, follow, stdio })
  host.close(read)
  return { tracee: tracee as unknown as Tracee, go: () => host.close(write), settled: () => host.sleep(100) }
}

function world(): System {
  const next: Program = function* (process) {
    yield* process.exit(9)
  }
  return new SimulatedKernel({ programs: { '/script': scriptedThreads, '/next': next } }).host
}

/** Passes every stop on; what was shown, each time as the thread's number from 0 on and the stop. */
async function passOn(tracee: Tracee, seen: string[] = []): Promise<string[]> {
  const tids: number[] = [tracee.pid]
  for await (const { thread, stop } of tracee.everyStop()) {
    if (!tids.includes(thread.tid)) tids.push(thread.tid)
    seen.push(`${tids.indexOf(thread.tid)} ${stop.reason ?? stop.event ?? stop.signal}`)
    if (stop.child !== undefined) {
      const child = stop.child as TracedThread | Tracee
      expect(child instanceof Tracee ? child.parent : child.process).toBe(thread.process)
    }
    thread.cont(stop.event ? undefined : stop.signal)
  }
  return seen
}

describe('the threads of a simulated tracee', () => {
  it.each(tracings)('are shown by a birth each, after the event of their creator (%s)', async trace => {
    const { tracee, go, settled } = await start('t(t(r3)r3)t(r3)r3x7', trace, 'threads')
    const ends: unknown[] = []
    const announced: TracedThread[] = []
    tracee.on('stop', ({ event, child }) => {
      if (event !== 'clone') return
      announced.push(child as TracedThread)
      ;(child as TracedThread).on('end', reason => ends.push(reason))
    })
    tracee.cont()
    const passing = passOn(tracee)
    await settled()
    expect(announced.map(thread => tracee.threads.get(thread.tid))).toEqual(announced)
    expect(tracee.threads.size).toBe(4)
    go()
    const seen = await passing
    expect(seen.sort()).toEqual(['0 clone', '0 clone', '1 birth', '1 clone', '2 birth', '3 birth'])
    expect(await tracee.exited).toMatchObject({ code: 7 })
    expect(ends).toEqual(['exit', 'exit'])
    expect(tracee.threads.size).toBe(1)
  })

  it.each(tracings)('wait each to be told on (%s)', async trace => {
    const { tracee } = await start('t(r3)r3x7', trace, 'threads')
    tracee.cont()
    const clone = await tracee.wait()
    const thread = (clone as { child: TracedThread }).child
    expect(await thread.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP', event: 'stop', reason: 'birth' })
    expect(tracee.stop).toBe(clone)
    thread.syscall()
    expect(await thread.wait()).toMatchObject({ event: 'syscall', phase: 'entry' })
    thread.syscall()
    thread.kill('SIGUSR1')
    expect(await thread.wait()).toMatchObject({ event: 'syscall', phase: 'exit' })
    thread.cont()
    expect(await thread.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    expect(await tracee.run()).toMatchObject({ signal: 'SIGUSR1' })
  })

  it.each(tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow }))))(
    'exec in the main one’s place ($trace, follow $follow)',
    async ({ trace, follow }) => {
      const { tracee } = await start('t(r3)t(E)p', trace, follow)
      const ends: unknown[] = []
      const tids: number[] = []
      const seen: string[] = []
      tracee.cont()
      for await (const { thread, stop } of tracee.everyStop()) {
        if (stop.reason === 'birth') {
          tids.push(thread.tid)
          thread.on('end', (...args) => ends.push(args))
        }
        if (stop.event === 'exec') {
          expect(thread).toBe(tracee.mainThread)
          if (follow) expect(stop.formerTid).toBe(tids[1])
          expect([...tracee.threads.keys()]).toEqual([tracee.pid])
        }
        seen.push(stop.reason ?? stop.event ?? stop.signal)
        thread.cont(stop.event ? undefined : stop.signal)
      }
      expect(seen).toEqual(follow ? ['clone', 'birth', 'clone', 'birth', 'exec'] : ['exec'])
      expect(ends.length).toBe(follow ? 2 : 0)
      // The one that has exec'ed has not ended.
      if (follow)
        expect(ends).toMatchObject([
          ['exec', null],
          ['exec', { code: 0 }],
        ])
      expect(await tracee.exited).toMatchObject({ code: 9 })
    },
  )

  it.each(tracings)('go on where the main one ends first, and so does the process (%s)', async trace => {
    const { tracee, go } = await start('t(r3e5)e4', trace, 'threads')
    const ended = once(tracee.mainThread, 'end')
    tracee.cont()
    const passing = passOn(tracee)
    expect(await ended).toEqual(['exit', { kind: 'exited', code: 4, signal: null }])
    expect(tracee.threads.size).toBe(2)
    go()
    expect(await tracee.exited).toMatchObject({ code: 5 })
    await passing
  })

  it.each(tracings)('are stopped and go on, and those at stops of their own stay there (%s)', async trace => {
    const { tracee, go } = await start('t(r3)t(r3)r3x7', trace, 'threads')
    const births: TracedThread[] = []
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.reason === 'birth') births.push(thread)
      else thread.cont()
      if (births.length === 2) break
    }
    births[1]?.cont()
    await tracee.stopAll()
    expect([...tracee.threads.values()].map(({ stop }) => stop?.reason)).toEqual(['interrupt', 'birth', 'interrupt'])
    tracee.contAll()
    expect([...tracee.threads.values()].map(({ stop }) => stop?.reason)).toEqual([undefined, 'birth', undefined])
    births[0]?.cont()
    go()
    expect(await tracee.run()).toMatchObject({ code: 7 })
  })

  it.each(tracings)('are handed off in state T, and go on by SIGCONT (%s)', async trace => {
    const { tracee, go, settled } = await start('t(r3)t(r3)r3x7', trace, 'threads')
    tracee.cont()
    void passOn(tracee)
    await settled()
    await tracee.handOff()
    expect(tracee.tracing).toBeNull()
    go()
    tracee.kill('SIGCONT')
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('end with the tracee when it is disposed of at any stop (%s)', async trace => {
    for (let most = 0; most < 8; most++) {
      const { tracee, settled } = await start('t(t(r3)r3)t(r3)r3x7', trace, 'threads')
      await using _ = tracee
      tracee.cont()
      let stops = 0
      const shown = (async () => {
        for await (const { thread, stop } of tracee.everyStop()) {
          if (++stops > most) break
          thread.cont(stop.event ? undefined : stop.signal)
        }
      })()
      await Promise.race([shown, settled()])
    }
  })
})

describe('the processes that a simulated tracee starts', () => {
  it.each(tracings)('are followed, and theirs (%s)', async trace => {
    const { tracee } = await start('f(v(E)x1)x3', trace, 'all')
    const followed: Tracee[] = []
    const listen = (parent: Tracee) => {
      parent.on('follow', child => {
        expect(child.parent).toBe(parent)
        expect(parent.children.get(child.pid)).toBe(child)
        followed.push(child)
        listen(child)
      })
    }
    listen(tracee)
    tracee.cont()
    const seen = await passOn(tracee)
    expect(seen.filter(each => !each.endsWith('SIGCHLD')).sort()).toEqual(
      ['0 fork', '1 birth', '1 vfork', '2 birth', '2 exec'].sort(),
    )
    expect(await tracee.exited).toMatchObject({ code: 3 })
    expect(await Promise.all(followed.map(({ exited }) => exited))).toMatchObject([{ code: 1 }, { code: 9 }])
  })

  it.each(tracings)('run untraced with follow: threads (%s)', async trace => {
    const { tracee } = await start('f(r3x1)r3x3', trace, 'threads')
    tracee.cont()
    const passing = passOn(tracee)
    await tracee.detach()
    await passing
    expect(tracee.children.size).toBe(0)
  })

  it.each(tracings)('are each handed off at their exec, and their own parent gets their exit (%s)', async trace => {
    const { tracee } = await start('f(E)r3x3', trace, 'all')
    tracee.cont()
    let end: Promise<unknown> | undefined
    for await (const { thread, stop } of tracee.everyStop()) {
      if (stop.event !== 'exec') {
        thread.cont(stop.event ? undefined : stop.signal)
        continue
      }
      const child = thread.process
      await child.handOff()
      expect(child.tracing).toBeNull()
      end = child.exited
      child.kill('SIGCONT')
      tracee.kill('SIGKILL')
    }
    expect(await end).toMatchObject({ code: 9 })
  })

  it.each(tracings)('end with the tracee when it is disposed of (%s)', async trace => {
    const { tracee, settled } = await start('f(f(p)p)p', trace, 'all')
    tracee.cont()
    const end = tracee.run()
    await settled()
    const [child] = tracee.children.values()
    expect(child?.children.size).toBe(1)
    await tracee[Symbol.asyncDispose]()
    expect(await end).toMatchObject({ signal: 'SIGKILL' })
    expect(await child?.exited).toMatchObject({ signal: 'SIGKILL' })
  })

  it.each(tracings)('are found where they were never announced (%s)', async trace => {
    const { tracee, settled } = await start('f(p)p', trace, 'all')
    await using _ = tracee
    tracee.cont()
    // Its event of fork is not taken: each call lets the simulated tasks take a step.
    for (let i = 0; i < 20; i++) tracee.kill(0)
    tracee.kill('SIGKILL')
    expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    await settled()
    const [child] = tracee.children.values()
    expect(child?.stop).toMatchObject({ reason: 'birth' })
  })

  it.each(tracings)('are found by their own creator where others were killed with it (%s)', async trace => {
    const host = world()
    const others = tracings.find(each => each !== trace)!
    const tracees: Tracee[] = []
    for (const each of [others, trace, others]) {
      const options = { system: host, trace: each, follow: 'all', stdio: 'ignore' } as const
      tracees.push(await launch('/script', ['f(p)p', '/next'], options))
    }
    for (const tracee of tracees) tracee.cont()
    for (let i = 0; i < 60; i++) tracees[0]!.kill(0)
    for (const tracee of tracees) tracee.kill('SIGKILL')
    for (const tracee of tracees) expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
    await host.sleep(100)
    const tracingOfChildren = tracees.map(({ children }) => [...children.values()].map(({ tracing }) => tracing))
    expect(tracingOfChildren).toEqual([[others], [trace], [others]])
    for (const tracee of tracees) await tracee[Symbol.asyncDispose]()
  })
})

describe('attach() in a simulated world', () => {
  it('stops every thread, and lets all go again', async () => {
    const host = world()
    const [read, write] = host.pipe2()
    const argv = ['script', 't(r3)t(t(r3)r3)r3x6', '/next']
    const pid = host.fork({
      actions: [
        { op: 'dup2', fd: read, target: 3 },
        { op: 'close', fd: write },
        { op: 'execve', files: ['/script'], argv, env: [] },
      ],
    })
    host.close(read)
    await host.sleep(100)
    const tracee = await attach(pid, { system: host })
    expect([...tracee.threads.values()].map(({ stop }) => stop?.reason)).toEqual(Array(4).fill('interrupt'))
    await expect(attach([...tracee.threads.keys()][1]!, { system: host })).rejects.toMatchObject({ code: 'EINVAL' })
    tracee.contAll()
    await tracee.detach()
    host.close(write)
    await host.sleep(100)
    expect(host.waitpid(pid)).toMatchObject({ status: { code: 6 } })
    expect(await tracee.exited).toMatchObject({ code: 6 })
  })
})
