/** attach() to a child that launch() has started, with each way to let it go. */

import { attach } from '../../../lib/launch/attach.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { ChildDiedError, SystemError } from '../../../lib/system/errors.ts'
import type { Scenario } from './scenarios.ts'

export const letGoes = ['loop', 'detach', 'hand off', 'dispose'] as const

/** A program of a short-lived thread is attached to and let go, and its end seen, whatever happens to it meanwhile. */
export function attachToOwn(how: (typeof letGoes)[number]): Scenario {
  return async ({ kernel, system }) => {
    kernel.install('/bin/program', function* (process) {
      try {
        const thread = yield* process.thread(function* () {})
        yield* thread.join()
      } catch {
        // Made to fail.
      }
      return 3
    })
    const seen = async (action: () => Promise<unknown>) => {
      try {
        await action()
      } catch (error) {
        if (!(error instanceof SystemError || error instanceof ChildDiedError)) throw error
      }
    }
    await seen(async () => {
      await using child = await launch('/bin/program', { system, trace: false, stdio: 'ignore' })
      await seen(async () => {
        await using tracee = await attach(child.pid, { system })
        if (how === 'loop') {
          for await (const { thread, stop } of tracee.everyStop()) thread.cont(stop.event ? undefined : stop.signal)
        } else if (how === 'detach') await tracee.detach()
        else if (how === 'hand off') {
          await tracee.handOff()
          child.kill('SIGCONT')
        }
        if (how !== 'dispose') await tracee.exited
      })
      const { code, signal } = await child.exited
      if (code !== 3 && signal !== 'SIGKILL') throw new Error(`the child ended with ${code ?? signal}`)
    })
  }
}
