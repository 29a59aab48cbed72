/** Launches whose threads and children are followed, as explore() runs them from the exec event on. */

import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { exitsWith9, scriptedThreads } from '../../support/scripted-threads.ts'
import type { World } from '../broken-launchers/kit.ts'
import type { AfterLaunch } from './from-exec.ts'
import { Witness } from './witness.ts'

export type Tracing = 'traceme' | 'seize'

/** What is followed, and what is done meanwhile. */
export interface FollowCase {
  readonly name: string
  /** In the letters of test/fixtures/threads.c; `E` execs a program that exits with 9. */
  readonly script: string
  readonly follow: 'threads' | 'all' | false
  /** How the program may end: an exit code, or a signal. Any, where it is killed by a fault. */
  readonly ends: readonly (number | string)[]
  /** Passes each stop on, by a loop of the user's, by default; or goes another way. */
  readonly act?: (tracee: Tracee, world: World, faults: number) => Promise<unknown>
}

/** Passes each stop on as a user does. */
async function loop(tracee: Tracee): Promise<void> {
  tracee.cont()
  for await (const { thread, stop } of tracee.everyStop()) {
    if (thread.stop !== stop) throw new Error(`${thread.tid} is given a stop that is past`)
    thread.cont(stop.event === undefined ? stop.signal : undefined)
  }
}

/** Does it at any moment from the start of run() on. */
async function besideRun(tracee: Tracee, { system }: World, what: () => Promise<unknown>): Promise<void> {
  const run = tracee.run()
  await system.sleep(0)
  await what().catch(ignoreEnd)
  await run
}

/** The program may have ended before. */
function ignoreEnd(error: unknown): void {
  if ((error as { code?: string }).code !== 'ESRCH') throw error
}

async function stopAll(tracee: Tracee, { kernel }: World, faults: number): Promise<void> {
  await tracee.stopAll()
  // What still runs would go on now.
  kernel.settle()
  for (const thread of tracee.threads.values()) {
    const isStopped = thread.stop !== null || thread.end !== null
    if (!isStopped && faults === 0) throw new Error(`${thread.tid} is not stopped`)
  }
  tracee.contAll()
}

const stopped = (tracee: Tracee, world: World, faults: number) =>
  besideRun(tracee, world, () => stopAll(tracee, world, faults))
const detached = (tracee: Tracee, world: World) => besideRun(tracee, world, () => tracee.detach())
const handedOff = (tracee: Tracee, world: World) =>
  besideRun(tracee, world, async () => {
    await tracee.handOff()
    tracee.kill('SIGCONT')
  })
const disposed = (tracee: Tracee, world: World) => besideRun(tracee, world, async () => tracee[Symbol.asyncDispose]())
const killed = (tracee: Tracee, world: World) => besideRun(tracee, world, async () => tracee.kill('SIGKILL'))

/** Births, each by itself. */
export const births: readonly FollowCase[] = [
  { name: 'a thread is born, and ends', script: 't(e)e3', follow: 'threads', ends: [3, 0] },
  { name: 'a thread is born, and ends with all', script: 't(p)x3', follow: 'threads', ends: [3] },
  { name: 'a thread is born, not shown', script: 't(e)e3', follow: false, ends: [3, 0] },
  { name: 'a child is forked', script: 'f(x1)x3', follow: 'all', ends: [3] },
  { name: 'a child is vforked, and ends', script: 'v(x1)x3', follow: 'all', ends: [3] },
]

const execs: readonly FollowCase[] = [
  { name: 'a thread execs', script: 't(E)p', follow: 'threads', ends: [9] },
  { name: 'a thread execs, not shown', script: 't(E)p', follow: false, ends: [9] },
  { name: 'a child is vforked, and execs', script: 'v(E)x3', follow: 'all', ends: [3] },
]

export const twoAtOnce: readonly FollowCase[] = [
  { name: 'two threads at once', script: 't(e)t(e)x3', follow: 'threads', ends: [3] },
  { name: 'two children at once', script: 'f(x1)f(x2)x3', follow: 'all', ends: [3] },
]

/** What a user does while a birth may be under way. */
export const actsDuringBirth: readonly FollowCase[] = [
  { name: 'stopAll() while a thread is born', script: 't(e)e3', follow: 'threads', ends: [3, 0], act: stopped },
  { name: 'detach() while a thread is born', script: 't(e)e3', follow: 'threads', ends: [3, 0], act: detached },
  { name: 'detach() while a child is born', script: 'f(x1)x3', follow: 'all', ends: [3], act: detached },
  { name: 'handOff() while a thread is born', script: 't(e)e3', follow: 'threads', ends: [3, 0], act: handedOff },
  { name: 'disposal while a child is born', script: 'f(p)p', follow: 'all', ends: ['SIGKILL'], act: disposed },
  { name: 'SIGKILL while a thread is born', script: 't(p)p', follow: 'threads', ends: ['SIGKILL'], act: killed },
]

const followCases: readonly FollowCase[] = [...births, ...execs, ...actsDuringBirth]

export function caseNamed(name: string): FollowCase {
  const found = followCases.find(each => each.name === name)
  if (found === undefined) throw new Error(`there is no case '${name}'`)
  return found
}

/** Those that take seconds with a fault. */
export const quickCases: readonly FollowCase[] = [
  ...births,
  ...execs.filter(each => each.script === 't(E)p'),
  caseNamed('SIGKILL while a thread is born'),
]

export const longerCases: readonly FollowCase[] = [
  ...followCases.filter(each => !quickCases.includes(each)),
  ...twoAtOnce.filter(each => each.follow === 'threads'),
]

/** Follows a program to its end, and to the end of all that was followed. */
export function following(trace: Tracing, { script, follow, ends, act = loop }: FollowCase, faults = 0): AfterLaunch {
  return async (world, launched) => {
    const { kernel, system } = world
    kernel.install('/bin/script', scriptedThreads)
    kernel.install('/bin/next', exitsWith9)
    const options = { stdio: 'ignore', env: {}, trace, follow, system } as const
    const tracee: Tracee = await launch('/bin/script', [script, '/bin/next'], options)
    launched()
    const witness = new Witness(tracee)
    await act(tracee, world, faults)
    witness.isLoopOver = true
    const { code, signal } = await tracee.exited
    if (faults === 0 && !ends.includes(signal ?? code ?? '')) throw new Error(`the program ended by ${signal ?? code}`)
    for (const each of witness.tracees) await each.exited
  }
}
