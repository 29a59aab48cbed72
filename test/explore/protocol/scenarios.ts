/**
 * Launches as explore() runs them: each way of tracing, to success and to each failure, with the expected
 * outcome.
 */

import type { Child } from '../../../lib/launch/handles/child.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import type { Calling, SimulatedProcess } from '../../../lib/sim/index.ts'
import type { World } from '../broken-launchers/kit.ts'

export type Scenario = (world: World) => Promise<void>

/** A way of launching. */
export interface Way {
  readonly name: string
  readonly options: Pick<LaunchOptions, 'trace' | 'beforeExec' | 'memory'>
}

/** The trace modes, with the gate and without. A seized child always waits at a gate. */
export const ways: readonly Way[] = [
  { name: 'traceme', options: { trace: 'traceme' } },
  // Its record would stay in a copy of the memory: it reports through a channel.
  { name: 'traceme, channel', options: { trace: 'traceme', memory: 'copied' } },
  { name: 'traceme, gate', options: { trace: 'traceme', beforeExec: () => {} } },
  { name: 'seize', options: { trace: 'seize', beforeExec: () => {} } },
  { name: 'untraced', options: { trace: false } },
  { name: 'untraced, gate', options: { trace: false, beforeExec: () => {} } },
]

/** Looks up ways by name. */
export function waysNamed(names: readonly string[]): readonly Way[] {
  return names.map(name => {
    const way = ways.find(each => each.name === name)
    if (way === undefined) throw new Error(`there is no way '${name}' of launching`)
    return way
  })
}

const missing = '/bin/missing'

/**
 * How a launch ended: 'launched' once the program has exited cleanly, else the error's code and the step it
 * names.
 */
type Outcome = string

/** What a fault can do to a launch: the child is killed, or a call fails and the error names it. */
const outcomesOfFaults =
  /^(ERR_CHILD_DIED|ended by SIGKILL|(EMFILE|EAGAIN|ENOMEM) (pipe2|fork|open|execve|chdir|oomScoreAdj))$/

/** A setting of each kind that the simulated kernel has. */
const settings: LaunchOptions = {
  ...{ umask: 0o77, nice: 5, oomScoreAdj: 500, affinity: [0], aslr: false, noNewPrivileges: true, tracer: 'any' },
  ...{ processGroup: 0, rlimits: { nofile: 64 }, parentDeathSignal: 'SIGTERM' },
}

/** A launch that has succeeded; `end` runs the program to its end. */
interface Launched {
  end(): Promise<Outcome>
}

/** Not a closure: until a full collection V8 keeps what a generator function closes over, here a whole world. */
function* recorded(process: SimulatedProcess, run: { hasBegun: boolean }): Calling<void> {
  run.hasBegun = true
  yield* process.exit(0)
}

/** Launches a program. A traced one does not run before {@link Launched.end}. One whose launch failed never runs. */
async function start(
  { kernel, system }: World,
  options: LaunchOptions,
  file = '/bin/program',
): Promise<Launched | Outcome> {
  const run = { hasBegun: false }
  if (file !== missing) kernel.install(file, process => recorded(process, run))
  let child: Child
  try {
    child = await launch(file, [], { stdio: 'ignore', env: {}, ...options, system })
  } catch (error) {
    if (run.hasBegun && options.trace !== false) throw new Error('the program ran although its launch failed')
    return outcomeOf(error)
  }
  const end = async () => {
    if (run.hasBegun && child instanceof Tracee) throw new Error('the program ran before it was continued')
    const { code, signal } = child instanceof Tracee ? await child.run() : await child.exited
    return code === 0 ? 'launched' : `ended by ${signal ?? code}`
  }
  return { end }
}

async function endOf(started: Launched | Outcome): Promise<Outcome> {
  return typeof started === 'string' ? started : started.end()
}

/** Launches a program and runs it to its end. */
async function launched(world: World, options: LaunchOptions, file?: string): Promise<Outcome> {
  return endOf(await start(world, options, file))
}

function outcomeOf(error: unknown): Outcome {
  const { code, step, message } = error as { code?: string; step?: string; message: string }
  if (code === undefined) return message
  return step === undefined ? code : `${code} ${step}`
}

/** A launch and the outcomes it may have. */
export interface Case {
  readonly name: string
  readonly outcomes: readonly Outcome[]
  readonly run: (world: World, way: Way) => Promise<Outcome>
  /** Only for ways with a beforeExec. */
  readonly needsHook?: boolean
}

const cases: readonly Case[] = [
  { name: 'success', outcomes: ['launched'], run: (world, way) => launched(world, way.options) },
  {
    name: 'missing program',
    outcomes: ['ENOENT execve'],
    run: (world, way) => launched(world, way.options, missing),
  },
  {
    name: 'bad cwd',
    outcomes: ['ENOENT chdir'],
    run: (world, way) => launched(world, { ...way.options, cwd: '/nowhere' }),
  },
  {
    name: 'success with settings',
    outcomes: ['launched'],
    run: (world, way) => launched(world, { ...way.options, ...settings }),
  },
  {
    name: 'bad setting',
    outcomes: ['EINVAL affinity'],
    run: (world, way) => launched(world, { ...way.options, ...settings, affinity: [7] }),
  },
  {
    // The shortest possible timeout: the deadline may be seen at any moment.
    name: 'timeout',
    outcomes: ['ERR_TIMED_OUT', 'launched'],
    run: (world, way) => launched(world, { ...way.options, timeoutMs: 0 }),
  },
  {
    name: 'abort',
    outcomes: ['aborted', 'launched'],
    run: async (world, way) => {
      const controller = new AbortController()
      const abort = world.system.sleep(0).then(() => controller.abort(new Error('aborted')))
      const outcome = await launched(world, { ...way.options, signal: controller.signal })
      await abort
      return outcome
    },
  },
  {
    name: 'beforeExec throws',
    needsHook: true,
    outcomes: ['refused'],
    run: (world, way) => {
      const beforeExec = async () => {
        await world.system.sleep(0)
        throw new Error('refused')
      }
      return launched(world, { ...way.options, beforeExec })
    },
  },
  {
    name: 'child killed at the gate',
    needsHook: true,
    // An untraced child may have read the go byte before it died. The launch then counts as started.
    outcomes: ['ERR_CHILD_DIED', 'ended by SIGKILL'],
    run: async (world, way) => {
      const outcome = await launched(world, { ...way.options, beforeExec: child => void child.kill('SIGKILL') })
      return way.options.trace !== false && outcome === 'ended by SIGKILL' ? 'launched' : outcome
    },
  },
]

/** The cases that apply to a way. */
export function casesOf(way: Way): readonly Case[] {
  return cases.filter(({ needsHook }) => needsHook !== true || way.options.beforeExec !== undefined)
}

/** One launch. `withFaults`: the outcome may also be that of a fault. */
export function oneLaunch(way: Way, { run, outcomes }: Case, withFaults: boolean): Scenario {
  return async world => {
    expectOutcome(await run(world, way), outcomes, withFaults)
  }
}

/** Two launches at once. The launched programs end one after the other. */
export function twoLaunches(one: Way, other: Way, withFaults: boolean): Scenario {
  return async world => {
    const both = await Promise.all([start(world, one.options, '/bin/one'), start(world, other.options, '/bin/other')])
    for (const each of both) expectOutcome(await endOf(each), ['launched'], withFaults)
  }
}

function expectOutcome(outcome: Outcome, expected: readonly Outcome[], withFaults: boolean): void {
  if (expected.includes(outcome) || (withFaults && outcomesOfFaults.test(outcome))) return
  throw new Error(`the launch came to '${outcome}', not to ${expected.join(' or ')}`)
}
