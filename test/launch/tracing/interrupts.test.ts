/** interrupt() of a seized thread that has stopped already, though the library has not seen that yet. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { constants } from '../../../lib/system/constants.ts'
import { describeContract } from '../../contract/suite.ts'

const { P_PID, WNOWAIT, WSTOPPED, __WALL } = constants

describeContract(
  'an interrupt of a thread whose stop is not seen yet',
  world => {
    const asleep = () => launch(world.programs.sleep, ['60'], { system: world.system, stdio: 'ignore', trace: 'seize' })

    /** Waits for a stop, and leaves it to be taken. */
    const untilStopped = (pid: number) => world.system.waitid(P_PID, pid, WSTOPPED | WNOWAIT | __WALL)

    it('stops it no second time, where an interrupt has stopped it', async () => {
      await using tracee = await asleep()
      tracee.cont()
      tracee.interrupt()
      untilStopped(tracee.pid)
      tracee.interrupt()
      expect(await tracee.wait()).toMatchObject({ event: 'stop', reason: 'interrupt' })
      tracee.cont()
      tracee.kill('SIGUSR1')
      expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    })

    it('stops it once more, where a signal has stopped it', async () => {
      await using tracee = await asleep()
      tracee.cont()
      tracee.kill('SIGUSR1')
      untilStopped(tracee.pid)
      tracee.interrupt()
      expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
      tracee.cont()
      expect(await tracee.wait()).toMatchObject({ event: 'stop', reason: 'interrupt' })
    })

    it('is refused, where it has ended', async () => {
      await using tracee = await launch(world.programs.true, [], { system: world.system, trace: 'seize' })
      tracee.cont()
      world.system.waitid(P_PID, tracee.pid, constants.WEXITED | WNOWAIT | __WALL)
      expect(() => tracee.interrupt()).toThrow(expect.objectContaining({ code: 'ESRCH' }))
      expect(await tracee.exited).toMatchObject({ code: 0 })
    })
  },
  { tracing: true },
)
