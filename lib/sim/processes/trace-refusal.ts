/** Explains refused ptrace requests, in the native System's words: a clause for the error's message. */

import { EIO, EPERM, ESRCH } from '../base/results.ts'
import type { Task } from './task.ts'

const hasEnded = 'it has ended, and waits to be reaped'

/** The reason for the error of a request, by its method of System. */
export function whyRefused(caller: Task, method: string, errno: number, tid: number): string | undefined {
  switch (errno) {
    case -EPERM:
      return whyNotAttached(caller, tid)
    case -ESRCH:
      return whyNoRequest(caller, tid)
    case -EIO:
      return method.endsWith('User') ? 'the simulated machine has no debug registers' : undefined
    default:
      return undefined
  }
}

/** The reason for the EPERM of PTRACE_ATTACH and PTRACE_SEIZE. */
export function whyNotAttached(tracer: Task, tid: number): string | undefined {
  const task = tracer.kernel.tasks.get(tid)
  if (task === undefined) return undefined
  if (task.process === tracer.process) return `a process cannot trace itself, and ${tid} is a thread of this one`
  if (task.process === tracer.kernel.init) return 'it is the simulated init'
  if (isDead(task)) return hasEnded
  if (task.trace === null) return undefined
  const { process } = task.trace.tracer
  return process === tracer.process ? `this process traces ${tid} already` : `process ${process.name} traces it already`
}

/** The reason for the ESRCH of any other request to a task that exists. */
function whyNoRequest(caller: Task, tid: number): string | undefined {
  const task = caller.kernel.tasks.get(tid)
  if (task === undefined) return undefined
  if (isDead(task)) return hasEnded
  const tracer = task.trace?.tracer
  if (tracer === caller || tracer === undefined) {
    if (isKilled(task)) return 'it is being killed'
    if (tracer === undefined) return 'it is not traced'
    return task.state === 'traced' ? 'it was running, or listens in its group stop' : 'it is not stopped'
  }
  if (tracer.process !== caller.process) return `process ${tracer.process.name} traces it`
  return 'it belongs to another thread of this process, the one that launched it or attached to it'
}

function isDead({ state }: Task): boolean {
  return state === 'zombie' || state === 'dead'
}

function isKilled({ killed, process: { groupExit } }: Task): boolean {
  return killed || ((groupExit ?? 0) & 0x7f) !== 0
}
