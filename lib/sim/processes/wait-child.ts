/** wait4(2) and waitid(2): finds a child or tracee with a change of state to report. */

import { constants } from '../../system/constants.ts'
import type { ResourceUsage, WaitidResult, WaitResult } from '../../system/system.ts'
import { decodeWaitStatus } from '../../system/wait-status.ts'
import { EBADF, ECHILD, EINVAL, ESRCH } from '../base/results.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import { QueuedWait, type WaitReason } from '../files/wait.ts'
import { Pidfd } from './pidfd.ts'
import type { Process } from './process.ts'
import { notifyParentOfEnd, release, unlinkFromTracer } from './reap.ts'
import type { Task } from './task.ts'

const { P_ALL, P_PID, P_PGID, P_PIDFD } = constants
const { WNOHANG, WUNTRACED, WEXITED, WSTOPPED, WCONTINUED, WNOWAIT, __WNOTHREAD, __WCLONE, __WALL } = constants
const knownOptions = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL
const changes = WEXITED | WSTOPPED | WCONTINUED
const knownToWaitid = knownOptions | changes | WNOWAIT
const lowestInt = -0x80000000
const continuedStatus = 0xffff

/** The state of a search. */
interface Search {
  readonly waiter: Task
  /** As wait4(2) takes it: a task, -1 for any, 0 for the waiter's own group, a group as a number below -1. */
  readonly pid: number
  readonly options: number
  /** Some task matches: a call without a result waits, and does not fail with ECHILD. */
  hasCandidate: boolean
}

/** wait4(2): a result, null for WNOHANG with nothing to report, a negative errno, or `blocked`. */
export function waitForChild(task: Task, pid: number, options: number): WaitResult | null | number {
  if ((options & ~knownOptions) !== 0) return -EINVAL
  if (pid === lowestInt) return -ESRCH
  if (pid < -1 || pid === 0) task.kernel.trace.groupsUsed?.()
  return lookForChild(task, pid, options | WEXITED, null)
}

/** waitid(2): like {@link waitForChild}. */
export function waitForChange(task: Task, idType: number, id: number, options: number): WaitidResult | null | number {
  if ((options & ~knownToWaitid) !== 0 || (options & changes) === 0) return -EINVAL
  switch (idType) {
    case P_ALL:
      return lookForChild(task, -1, options, null)
    case P_PID:
      return id <= 0 ? -EINVAL : lookForChild(task, id, options, null)
    case P_PGID:
      if (id < 0) return -EINVAL
      task.kernel.trace.groupsUsed?.()
      return lookForChild(task, -id, options, null)
    case P_PIDFD: {
      if (id < 0) return -EINVAL
      const file = task.process.descriptors.get(id)
      return file instanceof Pidfd ? lookForChild(task, file.process.id, options, null) : -EBADF
    }
    default:
      return -EINVAL
  }
}

/** The part of a result that waitid(2) has. */
export function withoutUsage(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return result
  const { pid, status } = result as WaitResult
  return { pid, status } satisfies WaitidResult
}

function lookForChild(task: Task, pid: number, options: number, wait: ChildWait | null): WaitResult | null | number {
  const search: Search = { waiter: task, pid, options, hasCandidate: false }
  // A birth in another process can add to what is searched: the newborn is traced by this one.
  if (pid <= 0) task.kernel.trace.waitStateUsed?.(task.process)
  const threads = options & __WNOTHREAD ? [task] : task.process.tasks
  for (const thread of threads) {
    const found = inChildrenOf(search, thread) ?? inTraceesOf(search, thread)
    if (found !== undefined) return found
  }
  if (!search.hasCandidate) return -ECHILD
  if (options & WNOHANG) return null
  return wait?.stay() ?? task.block(new ChildWait(task, pid, options))
}

/** Looks at the children, the oldest first. */
function inChildrenOf(search: Search, thread: Task): WaitResult | undefined {
  const { process } = thread
  for (const child of process.children) {
    const owner = child.leader.parentTask ?? process.leader
    if (owner !== thread && process.tasks.includes(owner)) continue
    const found = consider(search, child.leader, false)
    if (found !== undefined) return found
  }
  return undefined
}

/** Looks at the tracees, the latest first. */
function inTraceesOf(search: Search, thread: Task): WaitResult | undefined {
  for (const tracee of thread.tracees) {
    const found = consider(search, tracee, true)
    if (found !== undefined) return found
  }
  return undefined
}

/** The result for one task, as its tracer or its parent sees it; undefined if it has none to report. */
function consider(search: Search, task: Task, asTracer: boolean): WaitResult | undefined {
  if (!isAskedFor(search, task, asTracer)) return undefined
  task.kernel.trace.waitStateUsed?.(task.process)
  // A parent that traces its own child sees it as its tracer, so that no change is reported twice.
  const tracing = asTracer || (task.trace !== null && !task.hasForeignTracer)
  const awaitsThreads = task.isLeader && task.process.unreaped.length > 1
  // A traced task's end is reported to its tracer first.
  if (task.state === 'zombie' && !awaitsThreads && (tracing || task.trace === null)) {
    return search.options & WEXITED ? reportEnd(search, task) : undefined
  }
  // A tracee that has ended has no more stops to wait for.
  if (task.state !== 'zombie' || !tracing || search.options & (WCONTINUED | WEXITED)) search.hasCandidate = true
  return reportStop(search, task, tracing) ?? reportContinuation(search, task)
}

function isAskedFor({ waiter, pid, options }: Search, task: Task, asTracer: boolean): boolean {
  const { process } = task
  const asked = pid === -1 || (pid > 0 ? task.tid === pid : process.group === (pid === 0 ? waiter.process.group : -pid))
  if (!asked) return false
  if (asTracer || options & __WALL) return true
  return (process.exitSignal !== SIGCHLD) === ((options & __WCLONE) !== 0)
}

function reportEnd(search: Search, task: Task): WaitResult {
  const { process } = task
  task.kernel.trace.stateSeen?.(task.isLeader ? process : task, search.waiter)
  const result = resultOf(task, process.groupExit ?? task.exitStatus)
  if (search.options & WNOWAIT) return result
  search.waiter.process.childContextSwitches += process.contextSwitches + process.childContextSwitches
  if (task.hasForeignTracer && task.isLeader) {
    // The tracer has reaped the task; now its real parent is notified.
    unlinkFromTracer(task)
    if (notifyParentOfEnd(task, process.exitSignal)) release(task)
  } else {
    release(task)
  }
  return result
}

function reportStop(search: Search, task: Task, tracing: boolean): WaitResult | undefined {
  const { process } = task
  if (tracing) {
    if (task.state !== 'traced' || task.jobControl.listening || task.stopCode === 0) return undefined
    const code = task.stopCode
    if (!(search.options & WNOWAIT)) task.stopCode = 0
    task.kernel.trace.stateSeen?.(task, search.waiter)
    return resultOf(task, (code << 8) | 0x7f)
  }
  if (!(search.options & WUNTRACED) || !process.stopped || process.stopSignal === 0) return undefined
  const signal = process.stopSignal
  if (!(search.options & WNOWAIT)) process.stopSignal = 0
  process.kernel.trace.stateSeen?.(process, search.waiter)
  return resultOf(task, (signal << 8) | 0x7f)
}

function reportContinuation(search: Search, task: Task): WaitResult | undefined {
  if (!(search.options & WCONTINUED) || !task.process.continued) return undefined
  if (!(search.options & WNOWAIT)) task.process.continued = false
  task.kernel.trace.stateSeen?.(task.process, search.waiter)
  return resultOf(task, continuedStatus)
}

function resultOf(task: Task, raw: number): WaitResult {
  return { pid: task.tid, raw, status: decodeWaitStatus(raw), rusage: usageOf(task.process) }
}

/** Simulated programs use no CPU time and no pages; only their blocking is counted. */
function usageOf(process: Process): ResourceUsage {
  return {
    userCPUTime: 0,
    systemCPUTime: 0,
    maxRSS: 0,
    minorPageFault: 0,
    majorPageFault: 0,
    fsRead: 0,
    fsWrite: 0,
    voluntaryContextSwitches: process.contextSwitches + process.childContextSwitches,
    involuntaryContextSwitches: 0,
  }
}

/** A wait4(2) with nothing to report yet. */
class ChildWait extends QueuedWait<Task> {
  readonly #pid: number
  readonly #options: number

  constructor(task: Task, pid: number, options: number) {
    super(task, task.process.childQueue)
    this.#pid = pid
    this.#options = options
  }

  enter(): void {
    this.queue.joinShared(this)
  }

  attempt(): WaitResult | null | number {
    return lookForChild(this.task, this.#pid, this.#options, this)
  }

  get reason(): WaitReason {
    return { on: 'child', pid: this.#pid }
  }
}
