/** Launches of which one call fails, each in turn: they succeed or reject with that error, and leave nothing. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { openPty } from '../../../lib/launch/stdio/pty.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import type { System } from '../../../lib/system/system.ts'
import { childrenOfThisProcess, openDescriptors } from '../../support/process-table.ts'
import { describeNative, withCalls } from '../support/native.ts'

/** Calls that fail for want of descriptors or memory, or in a sandbox. */
const failing = [
  ['pipe2', 'EMFILE'],
  ['socketpair', 'ENFILE'],
  ['openpty', 'ENOSPC'],
  ['fcntl', 'EMFILE'],
  ['fork', 'EAGAIN'],
  ['watch', 'ENOMEM'],
  ['ready', 'ENOMEM'],
  ['ptraceSeize', 'EPERM'],
  ['ptraceSetOptions', 'EPERM'],
  ['write', 'EIO'],
] as const

type Call = (typeof failing)[number][0]

/** A System whose calls are counted; the nth of one name fails. */
function systemFailing(at?: { call: Call; nth: number; error: SystemError }) {
  const real = openSystem('native')
  const counts = new Map<Call, number>()
  const wrapped = failing.map(([call]) => [
    call,
    (...args: unknown[]) => {
      const nth = (counts.get(call) ?? 0) + 1
      counts.set(call, nth)
      if (call === at?.call && nth === at.nth) throw at.error
      return (real[call] as (...args: unknown[]) => unknown).apply(real, args)
    },
  ])
  return { system: withCalls(real, Object.fromEntries(wrapped) as Partial<System>), counts }
}

async function run(system: System, options: LaunchOptions): Promise<void> {
  const child = await launch('/bin/true', [], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'], ...options, system })
  if ('run' in child) void child.run().catch(() => {})
  await child[Symbol.asyncDispose]()
}

async function runOnTerminal(system: System): Promise<void> {
  using pty = openPty({ system })
  await run(system, { trace: false, stdio: [pty.slave, pty.slave, 'pipe'], controllingTerminal: pty.slave })
}

const launches: [string, (system: System) => Promise<void>][] = [
  ['of the default kind', system => run(system, {})],
  ['that follows all', system => run(system, { follow: 'all' })],
  ['with beforeExec', system => run(system, { beforeExec() {} })],
  ['that is not traced', system => run(system, { trace: false })],
  ['that tells of its readiness', system => run(system, { trace: false, ready: 'notification-fd' })],
  ['on a terminal', runOnTerminal],
]

describeNative('a launch', () => {
  it.each(launches)('%s of which a call fails leaves nothing', async (_, start) => {
    const usual = systemFailing()
    await start(usual.system)
    const left = () => ({ descriptors: openDescriptors().size, children: childrenOfThisProcess().size })
    const before = left()
    for (const [call, code] of failing) {
      for (let nth = 1; nth <= (usual.counts.get(call) ?? 0); nth++) {
        const error = new SystemError({ errno: code, syscall: call })
        const outcome = await start(systemFailing({ call, nth, error }).system).catch((reason: unknown) => reason)
        if (outcome !== undefined) expect(outcome, `${call} ${nth}`).toMatchObject({ code })
        await expect.poll(left, { message: `${call} ${nth}` }).toEqual(before)
      }
    }
  })
})
