/**
 * Undoing a launch continues past a step that fails. Here other code of the process has closed a descriptor of
 * the launch.
 */

import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { constants } from '../../../lib/system/constants.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import type { System } from '../../../lib/system/system.ts'
import { uncaughtDuring } from '../../support/uncaught.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const { F_GETFD, WNOHANG, __WALL } = constants

/** The descriptors of this process below a number. */
function openBelow(system: System, end: number): number[] {
  const open: number[] = []
  for (let fd = 3; fd < end; fd++) {
    try {
      system.fcntl(fd, F_GETFD)
      open.push(fd)
    } catch {}
  }
  return open
}

const highest = 256

/**
 * Launches, and in beforeExec closes the nth descriptor that the launch has opened. Then fails with `error`, if
 * given.
 */
async function launchedWithout(system: System, nth: number, mode: (typeof modes)[number], error?: Error) {
  // The event loop opens its own descriptors once, and keeps them.
  await (await launch('/bin/true', [], { trace: 'seize', stdio: 'ignore', system }))[Symbol.asyncDispose]()
  const before = new Set(openBelow(system, highest))
  let pid = 0
  const outcome: unknown = await launch('/bin/true', [], {
    ...optionsOf(mode),
    stdio: ['pipe', 'pipe', 'ignore'],
    system,
    beforeExec(child) {
      pid = child.pid
      const mine = openBelow(system, highest).filter(fd => !before.has(fd))
      system.close(mine[nth % mine.length]!)
      if (error !== undefined) throw error
    },
  }).then(
    child => child[Symbol.asyncDispose](),
    reason => reason,
  )
  const left = openBelow(system, highest).filter(fd => !before.has(fd))
  return { outcome, left, pid }
}

// The launch's channel and gate, and the parent's ends of two pipes.
const own = [0, 1, 2, 3]

function tests(openSystem: () => System): void {
  describe.each(own)('whose descriptor %d other code has closed', nth => {
    it.each(modes)('rejects with its cause, the child reaped and the rest closed ($name)', async mode => {
      const system = openSystem()
      const cause = new Error('the cause')
      const { outcome, left, pid } = await launchedWithout(system, nth, mode, cause)
      expect(outcome).toBe(cause)
      expect(left).toEqual([])
      expect(() => system.waitpid(pid, WNOHANG | __WALL)).toThrow(expect.objectContaining({ code: 'ECHILD' }))
    })

    it.each(modes)('leaves nothing, and names a step where it rejects, without another cause ($name)', async mode => {
      const system = openSystem()
      const { outcome, left, pid } = await launchedWithout(system, nth, mode)
      if (outcome instanceof SystemError) expect(outcome.step).toEqual(expect.any(String))
      expect(left).toEqual([])
      expect(() => system.waitpid(pid, WNOHANG | __WALL)).toThrow(expect.objectContaining({ code: 'ECHILD' }))
    })
  })
}

describeNative('a launch', system => tests(() => system))
describe('a simulated launch', () => tests(() => new SimulatedKernel().host))

describeNative('a launch whose every descriptor other code has closed', system => {
  it.each(modes)('rejects at its deadline at the latest, and nothing else is thrown ($name)', async mode => {
    await (await launch('/bin/true', [], { trace: 'seize', stdio: 'ignore', system }))[Symbol.asyncDispose]()
    const before = new Set(openBelow(system, highest))
    const caught = await uncaughtDuring(async () => {
      const launching = launch('/bin/true', [], {
        ...optionsOf(mode),
        stdio: 'ignore',
        system,
        timeoutMs: 20,
        beforeExec() {
          for (const fd of openBelow(system, highest)) if (!before.has(fd)) system.close(fd)
          return new Promise(() => {})
        },
      })
      await expect(launching).rejects.toMatchObject({ code: expect.stringMatching(/^(EBADF|ERR_TIMED_OUT)$/) })
    })
    expect(caught).toEqual([])
  })
})
