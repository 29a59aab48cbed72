/** attach(): traces a process that runs already, with all its threads. */

import { openSystem } from '../open-system.ts'
import {
  checkAbortSignal,
  checkBoolean,
  checkInt,
  checkOptions,
  checkTimeout,
  invalidValue,
} from '../system/arguments.ts'
import { checkSystem } from '../system/check-system.ts'
import { isErrno, SystemError } from '../system/errors.ts'
import { privateCallsOf, seizeAwaited } from '../system/private-calls.ts'
import type { System } from '../system/system.ts'
import { Deadline } from './base/deadline.ts'
import { requireOwnProc } from './base/own-proc.ts'
import { ChildLife, launchedLife } from './children/child-life.ts'
import { takeChanges, watchChildren } from './children/child-watch.ts'
import { newTracee, processOf, type Tracee } from './handles/tracee.ts'
import type { TracedProcess } from './tracing/process/traced-process.ts'
import { optionsFor } from './tracing/tasks/options.ts'

/** Options of attach(). */
export interface AttachOptions {
  /** 'threads' (the default): the process's threads are shown. 'all': also the processes that it starts, and theirs. */
  readonly follow?: 'threads' | 'all' | undefined
  /** Whether the process is killed when its tracer ends; false by default. */
  readonly exitKill?: boolean | undefined
  /** Aborting it rejects with its reason, and detaches. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until the attach rejects with TimedOutError, and detaches. Without limit when left out. */
  readonly timeoutMs?: number | undefined
  /** The System that has the process; openSystem() by default. */
  readonly system?: System | undefined
}

/**
 * Attaches to a process by PTRACE_SEIZE and resolves once all its threads are stopped. A system call that was waiting
 * may return EINTR, as with any debugger. `contAll()` and `run()` resume all threads, a thread's own `cont()` that one.
 *
 * The process stays a child of its own parent, which still gets its exit. A child that launch() started, and that is
 * not traced, shares its streams and its end with the tracee. A stopped process stays in state T after `detach()`.
 * Disposing of the tracee detaches.
 *
 * @throws (by rejection):
 * - SystemError ESRCH without such a process; EPERM with the reason: another tracer, Yama, another user, a program
 *   that is not dumpable, a thread of the kernel, a zombie, this process itself, a child that other code waits for.
 *   ENOENT without /proc, and where /proc is that of another pid namespace. EINVAL for the tid of a thread other than
 *   the main one.
 * - TimedOutError after `timeoutMs`; the reason of `signal`.
 * - TypeError or RangeError for bad arguments.
 *
 * @example
 * await using tracee = await attach(pid)
 * for (const thread of tracee.threads.values()) console.log(thread.tid, thread.registers().pc)
 */
export async function attach(pid: number, options: AttachOptions = {}): Promise<Tracee> {
  checkInt(pid, 'pid')
  const names = ['follow', 'exitKill', 'signal', 'timeoutMs', 'system'] as const
  const given = checkOptions(options, 'options', names) as AttachOptions
  const { follow = 'threads', exitKill = false } = given
  if (follow !== 'threads' && follow !== 'all') {
    throw invalidValue('options.follow', "must be one of 'threads', 'all'", follow)
  }
  checkBoolean(exitKill, 'options.exitKill')
  const signal = checkAbortSignal(given.signal, 'options.signal')
  const timeoutMs = given.timeoutMs === undefined ? undefined : checkTimeout(given.timeoutMs, 'options.timeoutMs')
  const system = given.system === undefined ? openSystem() : checkSystem(given.system, 'options.system')
  const what = `attaching to process ${pid}`
  using deadline = new Deadline(system, what, { signal, timeoutMs }, () => takeChanges(system))
  // Threads that are not listed would run untraced.
  requireOwnProc(system, `/proc/${pid}/task`, pid)
  refuseThread(system, pid)

  watchChildren(system)
  const wanted = optionsFor(follow, exitKill)
  const own = await seizeMain(system, pid, wanted, deadline.signal)
  const life = own ?? new ChildLife(system, pid, [])
  const tracee = newTracee({ life, tracing: 'seize', follow, exitKill, kind: 'attached' })
  const process = processOf(tracee)
  life.handOver()
  try {
    // A thread started by a traced thread is traced from its birth.
    while (!seizeThreads(process, wanted, () => deadline.throwIfOver())) {
      // Threads that keep ending are easier to catch while the others do not run.
      await process.halt.stopAllShown(deadline.signal)
      await system.sleep(1, { signal: deadline.signal })
    }
    await process.halt.stopAllShown(deadline.signal)
    process.mustBeTraced('PTRACE_SEIZE')
    return tracee
  } catch (error) {
    // A thread in uninterruptible sleep is detached once it wakes.
    void tracee[Symbol.asyncDispose]().catch(() => {})
    if (own === undefined) tracee.unref()
    throw error
  }
}

/** Refuses the tid of a thread other than its process's main one. */
function refuseThread(system: System, pid: number): void {
  const facts = privateCallsOf(system)?.taskOf?.(pid)
  if (facts === undefined || facts.process === pid) return
  const hint = `${pid} is a thread of process ${facts.process}`
  throw new SystemError({ errno: 'EINVAL', syscall: 'ptrace', pid, hint })
}

/** Time for an exec to end the main thread and to replace it. */
const execMs = 20

/**
 * PTRACE_SEIZE of the main thread. Resolves with the ChildLife of a child that this process has launched, which the
 * tracee shares; with undefined for any other process.
 *
 * During another thread's exec the main thread has ended. The kernel refuses it (EPERM) until the exec has replaced it,
 * so the request is repeated for that long.
 */
async function seizeMain(
  system: System,
  pid: number,
  wanted: number,
  signal: AbortSignal | undefined,
): Promise<ChildLife | undefined> {
  for (let leftMs = execMs; ; leftMs--) {
    try {
      const own = launchedLife(system, pid)
      if (own === undefined) system.ptraceSeize(pid, wanted)
      else seizeAwaited(system, pid, wanted)
      return own
    } catch (error) {
      const isTraced = privateCallsOf(system)?.taskOf?.(pid)?.tracer !== 0
      if (!isErrno(error, 'EPERM') || isTraced || leftMs === 0) throw error
    }
    await system.sleep(1, { signal })
  }
}

/** How often the threads are listed at most in one turn of the event loop: a process may keep starting new ones. */
const mostListings = 100
/** After so many listings only threads that are not known to be traced are tried, until there is none. */
const wholeListings = 8

/**
 * Seizes every thread that is not traced yet; false if others may be left, which keep appearing.
 *
 * A thread that ends while the kernel lists them may cut the list short. A traced thread stays listed until it is
 * waited for. So a list of traced threads only, as long as the kernel's count of threads, is complete. `checkTime`
 * throws once the time limit is over: no timer fires meanwhile.
 */
function seizeThreads(process: TracedProcess, wanted: number, checkTime: () => void): boolean {
  const { system, pid, tasks } = process
  const calls = privateCallsOf(system)
  const traced = new Set<number>()
  let isQuick = false
  for (let listings = 0; listings < mostListings; listings++) {
    if (listings > 0) checkTime()
    const tids = calls?.threadsOf?.(pid) ?? []
    let isWhole = true
    for (const tid of tids) {
      // To ask again about each takes longer than some threads live.
      if (tasks.has(tid) || (isQuick && traced.has(tid))) continue
      const outcome = seize(system, pid, tid, () => system.ptraceSeize(tid, wanted))
      if (outcome === 'seized') process.births.addSeized(tid)
      if (outcome === 'traced') traced.add(tid)
      else isWhole = false
    }
    const wasQuick = isQuick
    isQuick = !isWhole && listings >= wholeListings
    if (wasQuick) continue
    const main = calls?.taskOf?.(pid)
    if (main === undefined) return true
    process.memoryMark = main.memoryMark
    // A thread that was not traced yet has exec'ed, and has taken the main thread's place.
    if (main.tracer === 0 && main.state !== 'Z') seize(system, pid, pid, () => seizeAwaited(system, pid, wanted))
    else if (isWhole && main.threads === tids.length) return true
  }
  return false
}

/**
 * Seizes one thread.
 *
 * 'traced': it was traced from its birth, and its creator's event is about to report it; or it is about to end.
 * 'gone': the threads must be listed again.
 */
function seize(system: System, pid: number, tid: number, request: () => void): 'seized' | 'traced' | 'gone' {
  try {
    request()
    return 'seized'
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return 'gone'
    if (!isErrno(error, 'EPERM')) throw error
    const calls = privateCallsOf(system)
    const tracer = calls?.taskOf?.(pid)?.tracer ?? 0
    const facts = calls?.taskOf?.(tid)
    if (facts === undefined || tracer === 0) return 'gone'
    if (facts.tracer === tracer || calls?.isEndingOrExecing?.(tid) === true) return 'traced'
    throw error
  }
}
