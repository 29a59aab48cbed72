/** A launcher killed after any one of its system calls. No child may be left afterwards. */

import { expect } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { HostKilledError, SimulatedKernel } from '../../../lib/sim/index.ts'
import type { System } from '../../../lib/system/system.ts'
import type { World } from '../broken-launchers/kit.ts'
import type { Scenario, Way } from './scenarios.ts'

// The host is the first process of its world.
const hostPid = 100
const SIGKILL = 9

// Excluded: methods that are no system call, or that end later than they begin.
const awaited: ReadonlySet<string | symbol> = new Set(['kind', 'ready', 'sleep', 'now', 'onChildChange'])

/** A System that reports each call after it returns. Once `isDead`, no call returns a result. */
function observed(system: System, afterCall: () => void, isDead = () => false): System {
  return new Proxy(system, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (awaited.has(name)) return value.bind(target)
      return (...args: unknown[]) => {
        if (isDead()) return undone(name)
        try {
          return value.apply(target, args)
        } finally {
          afterCall()
          // biome-ignore lint/correctness/noUnsafeFinally: a dead process has no caller for the outcome
          if (isDead()) return undone(name)
        }
      }
    },
  })
}

/**
 * The result of a call made by code whose process was killed. Calls in a SIGCHLD listener stay quiet, because no
 * code catches their errors. A close stays quiet, because the descriptors are closed.
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
 * Launches a program, and kills the launcher after `count` calls, or after the launch if it makes fewer.
 *
 * No process may be left: the child was bound to its launcher, or has seen it gone. One exception: a program
 * launched untraced may outlive the launcher once released. It runs to its end here.
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
    // Releases what the launcher held, so that no warning about leaked descriptors appears.
    forgotten.abort()
    const left = kernel.blocked().map(({ name, description }) => `${name} ${description}`)
    if (left.length > 0) throw new Error(`left by a launcher that died: ${left.join('; ')}`)
  }
}

/** An upper bound on the calls of an ordinary launch. A slow child causes a few more. */
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
