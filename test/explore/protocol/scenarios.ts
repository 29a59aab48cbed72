/** Launches as explore() runs them: each way of tracing, to its success and to each failure, and what must have come of it. */

import type { Child } from '../../../lib/launch/child.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options.ts'
import { Tracee } from '../../../lib/launch/tracee.ts'
import type { System } from '../../../lib/system/system.ts'
import type { World } from '../broken-launchers/kit.ts'

export type Scenario = (world: World) => Promise<void>

/** A way of launching. */
export interface Way {
  readonly name: string
  readonly options: Pick<LaunchOptions, 'trace' | 'beforeExec'>
}

/** The trace modes, with the gate and without. A seized child always waits at one. */
export const ways: readonly Way[] = [
  { name: 'traceme', options: { trace: 'traceme' } },
  { name: 'traceme, gate', options: { trace: 'traceme', beforeExec: () => {} } },
  { name: 'seize', options: { trace: 'seize' } },
  { name: 'seize, beforeExec', options: { trace: 'seize', beforeExec: () => {} } },
  { name: 'untraced', options: { trace: false } },
  { name: 'untraced, gate', options: { trace: false, beforeExec: () => {} } },
]

/** How a launch ended: 'launched' once the program has run to its good end, else the error's code, and the step it names. */
export type Outcome = string

const quiet = { stdio: 'ignore', env: {} } as const

/** Launches a program and runs it to its end. */
export async function launched(system: System, file: string, options: LaunchOptions): Promise<Outcome> {
  let child: Child
  try {
    child = await launch(file, [], { ...quiet, ...options, system })
  } catch (error) {
    const { code, step, message } = error as { code?: string; step?: string; message: string }
    return code === undefined ? message : step === undefined ? code : `${code} ${step}`
  }
  if (child instanceof Tracee && !isAtExec(child)) throw new Error(`held at ${JSON.stringify(child.stop)}`)
  const { code, signal } = child instanceof Tracee ? await child.run() : await child.exited
  return code === 0 ? 'launched' : `ended by ${signal ?? code}`
}

/** At its exec stop; or killed there since. */
function isAtExec(tracee: Tracee): boolean {
  return tracee.stop === null || (tracee.stop.kind === 'stopped' && tracee.stop.event === 'exec')
}

/** A scenario whose outcome must be one of these. */
function expecting(outcomes: readonly Outcome[], run: (system: System) => Promise<Outcome>): Scenario {
  return async ({ system }) => {
    const outcome = await run(system)
    if (!outcomes.includes(outcome)) throw new Error(`the launch came to '${outcome}', not to ${outcomes.join(' or ')}`)
  }
}

/** What a launch can come to without a fault. */
export interface Case {
  readonly name: string
  readonly scenario: (way: Way) => Scenario
  /** Only for ways with a beforeExec. */
  readonly needsHook?: boolean
}

const program = '/bin/true'

export const cases: readonly Case[] = [
  {
    name: 'success',
    scenario: way => expecting(['launched'], system => launched(system, program, way.options)),
  },
  {
    name: 'missing program',
    scenario: way => expecting(['ENOENT execve'], system => launched(system, '/bin/missing', way.options)),
  },
  {
    name: 'bad cwd',
    scenario: way =>
      expecting(['ENOENT chdir'], system => launched(system, program, { ...way.options, cwd: '/nowhere' })),
  },
  {
    // Nothing is quicker than no time: the deadline may be seen at any moment.
    name: 'timeout',
    scenario: way =>
      expecting(['ERR_TIMED_OUT', 'launched'], system => launched(system, program, { ...way.options, timeoutMs: 0 })),
  },
  {
    name: 'abort',
    scenario: way =>
      expecting(['aborted', 'launched'], async system => {
        const controller = new AbortController()
        const abort = system.sleep(0).then(() => controller.abort(new Error('aborted')))
        const outcome = await launched(system, program, { ...way.options, signal: controller.signal })
        await abort
        return outcome
      }),
  },
  {
    name: 'beforeExec throws',
    needsHook: true,
    scenario: way =>
      expecting(['refused'], system => {
        const beforeExec = async () => {
          await system.sleep(0)
          throw new Error('refused')
        }
        return launched(system, program, { ...way.options, beforeExec })
      }),
  },
  {
    name: 'child killed at the gate',
    needsHook: true,
    scenario: way =>
      // An untraced child may have read the word to go before it died: then it counts as started.
      expecting(way.options.trace === false ? ['ERR_CHILD_DIED', 'ended by SIGKILL'] : ['ERR_CHILD_DIED'], system =>
        launched(system, program, { ...way.options, beforeExec: child => void child.kill('SIGKILL') }),
      ),
  },
]
