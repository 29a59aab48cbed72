import { expect, it } from 'vitest'
import { withChild } from '../../../lib/launch/children/with-child.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import type { System } from '../../../lib/system/system.ts'
import { thrown } from '../../contract/helpers.ts'

const program = { actions: [{ op: 'exit', code: 3 }] } as const

/** A simulated host whose every other waitpid(2) a signal interrupts. */
function interrupted(): System {
  const { host } = new SimulatedKernel()
  let isNext = false
  return Object.assign(Object.create(host), {
    fork: host.fork.bind(host),
    kill: host.kill.bind(host),
    waitpid(...args: Parameters<System['waitpid']>) {
      isNext = !isNext
      if (isNext) throw new SystemError({ errno: 'EINTR', syscall: 'waitpid' })
      return host.waitpid(...args)
    },
  })
}

it('a child is waited for, although signals interrupt the waits', () => {
  expect(withChild(interrupted(), program, child => child.wait())).toMatchObject({ kind: 'exited', code: 3 })
})

it('a child is reaped, although a signal interrupts the wait for its end', () => {
  const system = interrupted()
  const pid = withChild(system, program, child => child.pid)
  const waits = [0, 1].map(() => thrown(() => system.waitpid(pid)))
  expect(waits).toMatchObject([{ code: 'EINTR' }, { code: 'ECHILD' }])
})
