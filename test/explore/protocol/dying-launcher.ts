/** A launcher that is killed after any one of its system calls, and what must be left of its child then: nothing. */

import { expect } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { HostKilledError, SimulatedKernel } from '../../../lib/sim/index.ts'
import type { System } from '../../../lib/system/system.ts'
import type { World } from '../broken-launchers/kit.ts'
import type { Scenario, Way } from './scenarios.ts'

// The host is the first process of its world.
const hostPid = 100
const SIGKILL = 9

// These are no system calls, or end at a later time than they begin.
const awaited: ReadonlySet<string | symbol> = new Set(['kind', 'ready', 'sleep', 'now', 'onChildChange'])

/** A System that tells of each call once it was made. Once `isDead` no call has an answer. */
function observed(system: System, afterCall: () => void, isDead = () => false): System {
  return new Proxy(system, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || awaited.has(name)) return value
      return (...args: unknown[]) => {
        if (isDead()) return undone(name)
        try {
          return value.apply(target, args)
        } finally {
          afterCall()
          // biome-ignore lint/correctness/noUnsafeFinally: what the call gave or threw has nobody to go to
          if (isDead()) return undone(name)
        }
      }
    },
  })
}

/**
 * What a call gives to code that should not be running any more, since its process was killed. Those of a SIGCHLD listener are quiet: its
 * errors would be nobody's to catch; and so is a close, since its descriptors are closed.
 */
function undone(name: string | symbol): null | 0 {
  if (name === 'waitpid' || name === 'close') return null
  if (name === 'read') return 0
  throw new HostKilledError(SIGKILL)
}

function launchPayload(way: Way, system: System, signal?: AbortSignal) {
  return launch('/bin/payload', [], { ...way.options, stdio: 'ignore', env: {}, system, signal })
}

/**
 * Launches a program, and is killed after `count` calls, or when the launch is over if it makes fewer.
 *
 * Then no process may be left: the child was bound to its launcher, or has seen it gone. Of an untraced launch only the program itself, once it
 * was let go, may outlive the launcher; it runs to its end here.
 */
export function dyingLauncher(way: Way, count: number): Scenario {
  return async ({ kernel, system }: World) => {
    kernel.install('/bin/payload', function* (process) {
      while (way.options.trace !== false) yield* process.pause()
    })
    let isDead = false
    const forgotten = new AbortController()
    await new Promise<void>(resolve => {
      let calls = 0
      const die = () => {
        isDead = true
        resolve()
        expect(() => system.kill(hostPid, 'SIGKILL')).toThrow(HostKilledError)
      }
      const afterCall = () => {
        if (++calls === count) die()
      }
      const launching = launchPayload(
        way,
        observed(system, afterCall, () => isDead),
      )
      launching.then(() => isDead || die()).catch(() => {})
    })
    kernel.settle()
    // What it held is let go, so that no warning tells of descriptors forgotten.
    forgotten.abort()
    const left = kernel.blocked().map(({ name, description }) => `${name} ${description}`)
    if (left.length > 0) throw new Error(`left by a launcher that died: ${left.join('; ')}`)
  }
}

/** How many calls a launch makes at the most in its usual course; a few more of them where its child is slow. */
export async function callsOfLaunch(way: Way): Promise<number> {
  const kernel = new SimulatedKernel({ programs: { '/bin/payload': function* () {} } })
  let calls = 0
  const child = await launchPayload(
    way,
    observed(kernel.host, () => calls++),
  )
  const made = calls
  await child[Symbol.asyncDispose]()
  return made
}
