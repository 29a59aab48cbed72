/** attach() to programs that run already, as explore() runs it from the first step of attach() on. */

import { attach } from '../../../lib/launch/attach.ts'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { type Calling, SimulatedKernel, type SimulatedProcess } from '../../../lib/sim/index.ts'
import type { Kernel } from '../../../lib/sim/kernel/kernel.ts'
import { forkProgram } from '../../../lib/sim/processes/fork.ts'
import type { Process } from '../../../lib/sim/processes/process.ts'
import { codeOf } from '../../../lib/sim/programs/simulated-process.ts'
import { kernelOf } from '../../../lib/sim/simulated-kernel.ts'
import { constants } from '../../../lib/system/constants.ts'
import { isErrno } from '../../../lib/system/errors.ts'
import { exitsWith9, scriptedThreads } from '../../support/scripted-threads.ts'
import type { World } from '../broken-launchers/kit.ts'
import type { AfterLaunch } from './from-exec.ts'
import { Witness } from './witness.ts'

/** A program that is attached to. */
export interface Attachable {
  readonly name: string
  /** In the letters of test/fixtures/threads.c; `E` execs a program that exits with 9. */
  readonly script: string
  readonly follow: 'threads' | 'all'
  /** How it may end: an exit code, or a signal. Any, where it is killed by a fault. */
  readonly ends: readonly (number | string)[]
  /** Whether it is a child of the host, who waits for it; else it is init's, which discards its children. */
  readonly isOwn?: boolean
}

/** What is done once attach() has resolved. */
export interface Act {
  readonly name: string
  /** Whether it passes on the stops of what is followed as well; else that runs by itself. */
  readonly isLoop: boolean
  /** Whether attach() has the shortest of limits, which may be seen at any moment. */
  readonly isTimed?: boolean
  run(tracee: Tracee, world: World): Promise<unknown>
}

const path = '/bin/script'

/** Starts the program, and lets it make so many steps after its exec. */
function start(world: SimulatedKernel, { script, isOwn = false }: Attachable, steps: number): Process {
  const kernel = kernelOf(world)
  world.install(path, scriptedThreads)
  world.install('/bin/next', exitsWith9)
  const pid = forkProgram(
    isOwn ? kernel.host : kernel.init.leader,
    codeOf(process => process.execve(path, ['script', script, '/bin/next'], [])),
  )
  const process = kernel.processes.get(pid)!
  while (!process.hasExeced) step(kernel)
  for (let left = steps; left > 0 && kernel.runnable.length > 0; left--) step(kernel)
  // Who has moved last goes on without a preemption.
  kernel.trace.moves?.(kernel.host, kernel.host)
  return process
}

function step(kernel: Kernel): void {
  kernel.move(kernel.chooseActor(kernel.runnable))
}

/** The steps that the program makes by itself until it has ended, or waits for good. */
export function stepsOf(program: Attachable): number {
  const world = new SimulatedKernel()
  const kernel = kernelOf(world)
  start(world, program, 0)
  let steps = 0
  for (; kernel.runnable.length > 0; steps++) step(kernel)
  return steps
}

/** SIGCONT, as from a shell, for what is stopped, whenever nothing goes on by itself. Not for good. */
async function continueOften({ kernel, system }: World): Promise<void> {
  for (let times = 0; times < 4; times++) {
    await system.sleep(1000)
    for (const { id, program, tasks } of kernelOf(kernel).processes.values()) {
      if (program.endsWith(path) && tasks.length > 0) system.kill(id, 'SIGCONT')
    }
  }
}

/** Another process that sends a SIGCONT, at any moment. */
export function startContinuing(world: SimulatedKernel, pid: number): void {
  const { init } = kernelOf(world)
  forkProgram(
    init.leader,
    codeOf(process => continues(process, pid)),
  )
}

function* continues(process: SimulatedProcess, pid: number): Calling<void> {
  try {
    yield* process.kill(pid, 'SIGCONT')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

/** Throws unless every thread is traced, stopped and shown. */
function expectStopped({ tasks, groupExit }: Process, tracee: Tracee): void {
  // It is being killed: its threads are on their way to their ends.
  if (groupExit !== null) return
  for (const { tid, exiting, state, trace } of tasks) {
    if (exiting) continue
    if (trace === null || state !== 'traced') throw new Error(`${tid} is not held but ${state}`)
    if ((tracee.threads.get(tid)?.stop ?? null) === null) throw new Error(`${tid} is not shown as stopped`)
  }
}

/** Whether nothing was left to attach to. */
function isOver({ groupExit, leader, execTask }: Process): boolean {
  return groupExit !== null || (leader.state === 'zombie' && execTask === null) || leader.state === 'dead'
}

/** Throws unless no thread is traced any more, but for those that have ended. */
function expectLetGo({ tasks }: Process): void {
  for (const { tid, killed, exiting, trace } of tasks) {
    if (trace !== null && !killed && !exiting) throw new Error(`${tid} is still traced`)
  }
}

/** Throws unless a process that was handed off is stopped as a whole, or has ended. */
export function expectAtRest(world: SimulatedKernel, pid: number): void {
  const process = kernelOf(world).processes.get(pid)
  if (process === undefined || process.groupExit !== null) return
  for (const { tid, exiting, state } of process.tasks) {
    if (state !== 'stopped' && !exiting) throw new Error(`${tid} is not stopped but ${state}`)
  }
}

/** Attaches to a program after so many of its steps, does something, and sees it to its end. */
export function attaching(program: Attachable, act: Act, steps: number, faults = 0): AfterLaunch {
  const { script, follow, ends, isOwn = false } = program
  return async (world, launched) => {
    const { kernel, system } = world
    const process = start(kernel, program, steps)
    launched()
    if (script.includes('s19')) void continueOften(world)
    let tracee: Tracee
    try {
      tracee = await attach(process.id, { system, follow, ...(act.isTimed && { timeoutMs: 0 }) })
    } catch (error) {
      const isLate = act.isTimed === true && (error as { code?: string }).code === 'ERR_TIMED_OUT'
      if (!isLate && (!isErrno(error, 'ESRCH', 'EPERM') || !isOver(process))) throw error
      if (isLate) await untilLetGo(world)
      else expectLetGo(process)
      if (isOwn) await reap(world, process.id)
      return
    }
    expectStopped(process, tracee)
    const witness = new Witness(tracee)
    if (!act.isLoop) {
      witness.isLoopOver = true
      for (const child of tracee.children.values()) void child.run()
    }
    await act.run(tracee, world)
    witness.isLoopOver = true
    if (tracee.tracing === null) expectLetGo(process)
    const isTaken = isOwn && tracee.tracing === null && (await reap(world, process.id))
    const { code, signal } = await tracee.exited.catch((error: unknown) => {
      // Killed before it could be let go: both have waited for it.
      if (!isTaken || !isErrno(error, 'ECHILD')) throw error
      return { code: null, signal: 'SIGKILL' }
    })
    if (faults === 0 && !ends.includes(signal ?? code ?? '')) throw new Error(`the program ended by ${signal ?? code}`)
    if (isTaken) return
    for (const each of witness.tracees) await each.exited
  }
}

/** Waits until what has run out of time was let go, which begins with the rejection, and has ended by itself. */
async function untilLetGo({ kernel, system }: World): Promise<void> {
  const { processes, host, init, shell } = kernelOf(kernel)
  const isUnderWay = (process: Process) =>
    process !== host.process && process !== init && process !== shell && !isOver(process)
  for (let seconds = 0; [...processes.values()].some(isUnderWay); seconds++) {
    if (seconds > 10) throw new Error('what was not attached to in time is held for good')
    await system.sleep(1000)
  }
}

/** Waits for a child as its parent does. False where it was reaped while it was traced. */
async function reap({ system }: World, pid: number): Promise<boolean> {
  try {
    while (system.waitpid(pid, constants.WNOHANG) === null) await system.sleep(1)
    return true
  } catch (error) {
    if (!isErrno(error, 'ECHILD')) throw error
    return false
  }
}
