/**
 * Many tracees of one process at once, each of which is run, stopped, let go or killed at a random moment. A search for
 * changes sees those of all of them, and each has to come to the one that it is of.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { RandomNumbers } from '../../../lib/sim/base/random-numbers.ts'
import { isErrno } from '../../../lib/system/errors.ts'
import { rounds } from '../../support/rounds.ts'
import { seedOf } from '../../support/seed.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { running, stateOf, until } from '../support/processes.ts'

const title = `many tracees at once${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

// Threads and children that end, exec or go on, in the language of test/fixtures/threads.c.
const scripts = [
  ...['t(x3)p', 't(e0)t(e0)e0', 't(t(e0)e0)x5', 'f(x3)v(x0)x1', 't(f(v(x1)x2)e0)f(x0)E', 't(E)p', 'v(f(x0)x0)t(s10)p'],
  ...['s34', 'b10s10x0', 't(e0)t(v(x1)e0)t(f(x1)e0)e0'],
]
const withSleepingChildren = ['t(pe0)f(p)E', 'f(t(x0)p)t(f(x1)e0)x2']
const shell = '/bin/true & (/bin/true; /bin/true) & wait; exec /bin/true'

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('come to their ends', () => {})
  const folder = temporaryFolder()
  const threads = compile(folder, 'threads')
  const relatives = compile(folder, 'relatives', ['-pthread'])
  const forks = compile(folder, 'forks')

  it('come to their ends, whatever is done to each of them', { timeout: 600_000 }, async () => {
    const seed = seedOf('many tracees at once')
    const random = new RandomNumbers(seed)
    const below = (limit: number) => random.integer(limit)
    const oneOf = <T>(values: readonly T[]) => values[below(values.length)]!
    const left: (() => unknown)[] = []

    const endless = [
      [relatives, ['clone-parent'], false],
      [forks, [], false],
      ...withSleepingChildren.map(script => [threads, [script, '/bin/true'], false] as const),
    ] as const

    /** Lets go of a child, which may have ended. */
    const letGo = async (child: Tracee, how: 'detach' | 'handOff') => {
      await child[how]().catch(unlessGone)
      left.push(() => child.kill('SIGKILL'))
      child.kill('SIGCONT')
    }

    const goOn = async (tracee: Tracee, most: number) => {
      let stops = 0
      tracee.cont()
      const ended = sleep(below(20)).then(() => tracee[Symbol.asyncDispose]())
      for await (const { thread, stop } of tracee.everyStop()) {
        if (++stops > most) break
        try {
          thread.cont(stop.event ? undefined : stop.signal)
        } catch (error) {
          unlessGone(error)
        }
      }
      await ended
    }

    const stopAndGoOn = async (tracee: Tracee) => {
      const run = tracee.run().catch(unlessGone)
      for (let turn = 0; turn < 4; turn++) {
        await sleep(below(4))
        await tracee
          .stopAll()
          .then(() => tracee.contAll())
          .catch(unlessGone)
      }
      tracee.kill('SIGKILL')
      await Promise.race([run, sleep(below(3))])
    }

    const runAndLetGo = async (tracee: Tracee) => {
      void tracee.run().catch(unlessGone)
      await sleep(below(12))
      await letGo(tracee, oneOf(['detach', 'handOff']))
    }

    const runAndKill = async (tracee: Tracee) => {
      void tracee.run().catch(unlessGone)
      await sleep(below(12))
      tracee.kill('SIGKILL')
    }

    const one = async () => {
      const follow = oneOf(['all', 'all', 'threads', false] as const)
      // A child of the endless ones that is not followed would outlive the test.
      const [program, args, mayBeLetGo] = oneOf<readonly [string, readonly string[], boolean]>([
        [threads, [oneOf(scripts), '/bin/true'], true],
        ['/bin/sh', ['-c', shell], true],
        ...(follow === 'all' ? endless : []),
      ])
      const options = { trace: oneOf(tracings), follow, stdio: ['pipe', 'ignore', 'ignore'] } as const
      const tracee = (await launch(program, args, options)) as unknown as Tracee
      if (mayBeLetGo && follow === 'all') {
        tracee.on('follow', child => {
          if (below(4) === 0) void letGo(child, oneOf(['detach', 'handOff']))
        })
      }
      if (below(5) === 0) tracee.breakpoint(tracee.registers().pc)
      const ways = [
        (each: Tracee) => goOn(each, below(60)),
        stopAndGoOn,
        runAndKill,
        ...(mayBeLetGo ? [runAndLetGo] : []),
      ]
      await oneOf(ways)(tracee)
      tracee.kill('SIGKILL')
      await tracee[Symbol.asyncDispose]()
      expect(stateOf(tracee.pid), `process ${tracee.pid} of ${program} ${args}`).toBe('gone')
    }

    let started = 0
    const most = rounds(30, 600)
    try {
      await Promise.all(
        Array.from({ length: 6 }, async () => {
          while (started++ < most) await one()
        }),
      )
    } catch (error) {
      throw new Error(`with the seed ${seed}`, { cause: error })
    } finally {
      for (const kill of left) kill()
    }
    const leftRunning = () => [threads, relatives, forks].flatMap(program => running(program))
    await until(
      () => `none is left, with the seed ${seed}: ${leftRunning().map(pid => `${pid} in state ${stateOf(pid)}`)}`,
      () => leftRunning().length === 0,
    )
  })
})

function unlessGone(error: unknown): void {
  if (!isErrno(error, 'ESRCH')) throw error
}
