/** Requests to a tracee that cannot take them: each fails at once, and says why, on both Systems. */

import { describe, expect, it } from 'vitest'
import { attach } from '../../../lib/launch/attach.ts'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { describeContract } from '../../contract/suite.ts'
import { tracings } from '../support/modes.ts'

const reads = ['registers', 'signalInfo', 'syscallInfo'] as const

describeContract(
  'a tracee at the wrong moment',
  world => {
    const asleep = (trace: 'traceme' | 'seize') =>
      launch(world.programs.sleep, ['60'], { system: world.system, stdio: 'ignore', trace })

    const running = async (trace: 'traceme' | 'seize') => {
      const tracee = await asleep(trace)
      tracee.cont()
      return tracee
    }

    const refusal = (code: string, reason: string) =>
      expect.objectContaining({ code, message: expect.stringContaining(reason) })

    describe.each(tracings)('(%s)', trace => {
      it('that runs gives no registers', async () => {
        await using tracee = await running(trace)
        for (const read of reads) expect(() => tracee[read]()).toThrow(refusal('ESRCH', 'it is not stopped'))
        expect(() => tracee.setRegisters({})).toThrow(refusal('ESRCH', 'it is not stopped'))
        expect(() => tracee.registerSet(1)).toThrow(refusal('ESRCH', 'it is not stopped'))
      })

      it('that is killed at its stop gives none', async () => {
        await using tracee = await asleep(trace)
        tracee.kill('SIGKILL')
        const reason = /it is being killed|it has ended, and waits to be reaped|the child has ended/
        for (const read of reads) expect(() => tracee[read]()).toThrow(reason)
        expect(await tracee.exited).toMatchObject({ signal: 'SIGKILL' })
      })

      const blocked: readonly [string, (tracee: Tracee) => Promise<void>, string][] = [
        ['stopAll()', tracee => tracee.stopAll(), 'stopAll() has stopped it'],
        ['detach()', tracee => tracee.detach(), 'is under way'],
        ['handOff()', tracee => tracee.handOff(), 'is under way'],
      ]
      it.each(blocked)(
        'is not waited for by blocking while %s stops it: that would be for ever',
        async (_, call, why) => {
          await using tracee = await running(trace)
          const over = call(tracee)
          expect(() => tracee.waitSync()).toThrow(refusal('EDEADLK', why))
          await over
          expect(() => tracee.waitSync()).toThrow(/stopAll\(\) has stopped it|was detached/)
        },
      )

      it('that was detached is not waited for by blocking until its end', async () => {
        await using tracee = await asleep(trace)
        await tracee.handOff()
        expect(() => tracee.waitSync()).toThrow(refusal('ESRCH', 'the child was detached'))
        tracee.kill('SIGKILL')
        await tracee.exited
        expect(tracee.waitSync()).toMatchObject({ signal: 'SIGKILL' })
      })

      it.each(['detach', 'handOff'] as const)('is let go by %s() with a time limit that is one', async leave => {
        await using tracee = await asleep(trace)
        const wrong: readonly unknown[] = [null, '1', Number.NaN, 5n, 2 ** 40]
        for (const timeoutMs of wrong) {
          const options = { timeoutMs } as { timeoutMs: number }
          await expect(tracee[leave](options)).rejects.toMatchObject({
            code: expect.stringMatching(/^ERR_INVALID_ARG_TYPE|ERR_OUT_OF_RANGE$/),
          })
        }
        expect(tracee.tracing).toBe(trace)
        tracee.cont()
        await Promise.all([tracee[leave]({ timeoutMs: -1 }), tracee[leave]({ timeoutMs: -1 }).catch(() => {})])
        expect(tracee.tracing).toBeNull()
      })
    })

    it('is attached to no second time', async () => {
      await using child = await launch(world.programs.sleep, ['60'], {
        system: world.system,
        trace: false,
        stdio: 'ignore',
      })
      await using first = await attach(child.pid, { system: world.system })
      await using second = await asleep('seize')
      for (const { pid } of [first, second]) {
        await expect(attach(pid, { system: world.system })).rejects.toEqual(refusal('EPERM', `traces ${pid} already`))
      }
    })

    it('that listens takes no requests', async () => {
      await using tracee = await running('seize')
      tracee.kill('SIGSTOP')
      while ((await tracee.wait({ timeoutMs: 10_000 })).kind === 'stopped' && tracee.stop?.event !== 'stop')
        tracee.cont(tracee.stop?.signal)
      tracee.listen()
      for (const read of reads) expect(() => tracee[read]()).toThrow(refusal('ESRCH', 'listens in its group stop'))
    })

    it.skipIf(world.hasMachineCode)('has no addresses watched where the machine has no debug registers', async () => {
      await using tracee = await asleep('seize')
      expect(() => tracee.watch(0n, { size: 8, on: 'write' })).toThrow(refusal('EIO', 'has no debug registers'))
    })
  },
  { tracing: true },
)
