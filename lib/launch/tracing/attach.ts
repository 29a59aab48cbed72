/** attach(): traces a process that runs already, with all its threads. */

import { openSystem } from '../../open-system.ts'
import {
  checkAbortSignal,
  checkBoolean,
  checkInt,
  checkOptions,
  checkTimeout,
  invalidValue,
} from '../../system/arguments.ts'
import { checkSystem } from '../../system/check-system.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import { privateCallsOf, seizeAwaited } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import { ChildLife } from '../child-life.ts'
import { takeChanges, watchChildren } from '../child-watch.ts'
import { Deadline } from '../deadline.ts'
import { optionsFor } from './options.ts'
import type { TracedProcess } from './traced-process.ts'
import { newTracee, processOf, type Tracee } from './tracee.ts'

/** Options of attach(). */
export interface AttachOptions {
  /**
   * Also the processes that it starts, and theirs ('all'); its threads are shown in any case ('threads', the default).
   */
  readonly follow?: 'threads' | 'all' | undefined
  /** Whether it is killed when its tracer ends; false by default. */
  readonly exitKill?: boolean | undefined
  /** Its abort rejects with its reason, and lets the process go. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until the attach rejects with TimedOutError. The process is let go from then on. */
  readonly timeoutMs?: number | undefined
  /** Where the process is; openSystem() by default. */
  readonly system?: System | undefined
}

/**
 * Attaches to a process by PTRACE_SEIZE and resolves once all its threads are stopped. A system call that was waiting
 * may return EINTR, as with any debugger. `contAll()` and `run()` let all go on, `cont()` of a thread that one.
 *
 * The process stays a child of its own parent, which still gets its exit. A stopped one stays in state T after
 * `detach()`. Disposing of the tracee detaches.
 *
 * @throws (by rejection):
 * - SystemError ESRCH without such a process; EPERM with the reason: another tracer, Yama, another user, a program
 *   that is not dumpable, a thread of the kernel, a zombie, this process itself, a child that other code waits for.
 *   ENOENT without /proc, and where /proc is that of another pid namespace.
 * - TimedOutError after `timeoutMs`; the reason of `signal`.
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
  refuseUnseen(system, pid)
  refuseThread(system, pid)

  watchChildren(system)
  const wanted = optionsFor(follow, exitKill)
  await seizeMain(system, pid, wanted, deadline.signal)
  const life = new ChildLife(system, pid, [])
  const tracee = newTracee({ life, tracing: 'seize', follow, exitKill, kind: 'attached' })
  const process = processOf(tracee)
  life.handOver()
  try {
    // Once each thread is traced, those that they start are, too.
    seizeThreads(process, wanted)
    await process.halt.beginShown(deadline.signal)
    process.mustBeTraced('PTRACE_SEIZE')
    return tracee
  } catch (error) {
    // A thread in uninterruptible sleep is let go once it is out of it.
    void tracee[Symbol.asyncDispose]().catch(() => {})
    tracee.unref()
    throw error
  }
}

/** Threads that are not listed would run on untraced. */
function refuseUnseen(system: System, pid: number): void {
  if (privateCallsOf(system)?.seesTasks?.() !== false) return
  const hint = 'the threads are listed in /proc, which is not mounted here, or is that of another pid namespace'
  throw new SystemError({ errno: 'ENOENT', syscall: 'open', path: `/proc/${pid}/task`, pid, hint })
}

/** A thread that is not its process's first one has no object of its own. */
function refuseThread(system: System, pid: number): void {
  const facts = privateCallsOf(system)?.taskOf?.(pid)
  if (facts === undefined || facts.process === pid) return
  const hint = `${pid} is a thread of process ${facts.process}`
  throw new SystemError({ errno: 'EINVAL', syscall: 'ptrace', pid, hint })
}

/** Time for an exec to end the main thread and to replace it. */
const execMs = 20

/** PTRACE_SEIZE of the main thread. One that another thread is about to replace by an exec has ended, and is refused. */
async function seizeMain(system: System, pid: number, wanted: number, signal: AbortSignal | undefined): Promise<void> {
  for (let leftMs = execMs; ; leftMs--) {
    try {
      system.ptraceSeize(pid, wanted)
      return
    } catch (error) {
      const isTraced = privateCallsOf(system)?.taskOf?.(pid)?.tracer !== 0
      if (!isErrno(error, 'EPERM') || isTraced || leftMs === 0) throw error
    }
    await system.sleep(1, { signal })
  }
}

/** How often the threads are listed. */
const mostLooks = 1000

/**
 * Seizes every thread that is not traced yet.
 *
 * A thread that ends while the kernel lists them may cut the list short. One that is traced stays in it until it is
 * waited for: a list of traced threads alone that is as long as the kernel's count leaves none out.
 */
function seizeThreads(process: TracedProcess, wanted: number): void {
  const { system, pid, tasks } = process
  const calls = privateCallsOf(system)
  for (let looks = 0; looks < mostLooks; looks++) {
    const tids = calls?.threadsOf?.(pid) ?? []
    let isWhole = true
    for (const tid of tids) {
      if (tasks.has(tid)) continue
      const outcome = seize(system, pid, tid, () => system.ptraceSeize(tid, wanted))
      if (outcome === 'seized') process.addSeized(tid)
      if (outcome !== 'traced') isWhole = false
    }
    const main = calls?.taskOf?.(pid)
    if (main === undefined) return
    // An exec by a thread that was not traced yet has taken the main one's place.
    if (main.tracer === 0 && main.state !== 'Z') seize(system, pid, pid, () => seizeAwaited(system, pid, wanted))
    else if (isWhole && main.threads === tids.length) return
  }
}

/** 'traced': by the event of its creator, which is about to come; or about to end. 'gone' says to look again. */
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
