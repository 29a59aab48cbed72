/** A launch whose own channel fails, in the simulated system: it rejects and is undone. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import type { ChildProgram } from '../../../lib/system/child-program.ts'
import { constants } from '../../../lib/system/constants.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import { type Mode, tracings } from '../support/modes.ts'
import { withCalls } from '../support/native.ts'

const traces: Mode['trace'][] = [...tracings, false]

it.each(traces)('whose channel cannot be read rejects and is undone (trace: %s)', async trace => {
  const kernel = new SimulatedKernel()
  const { host } = kernel
  const system = withCalls(host, {
    // Before the launch looks at it, the child has gone as far as it can: in some modes to its end.
    fork(program: ChildProgram) {
      const pid = host.fork(program)
      kernel.settle()
      return pid
    },
    read() {
      throw new SystemError({ errno: 'EIO', syscall: 'read' })
    },
  })
  const launching = launch('/bin/missing', [], { system, trace, stdio: 'ignore', env: {} })
  await expect(launching).rejects.toMatchObject({ code: 'EIO', step: 'read' })
  expect(() => host.waitpid(-1, constants.WNOHANG)).toThrow('ECHILD')
  expect(() => host.fcntl(3, constants.F_GETFD)).toThrow('EBADF')
})
