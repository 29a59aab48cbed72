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
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import { ChildLife } from '../child-life.ts'
import { takeChanges, watchChildren } from '../child-watch.ts'
import { Deadline } from '../deadline.ts'
import { detach } from './leaving.ts'
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
  /** Milliseconds until the attach rejects with TimedOutError, and the process is let go. */
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
 * - SystemError ESRCH without such a process; EPERM with the reason: who traces it already, Yama, another user, a
 * program
 *   that is not dumpable, a thread of the kernel, a zombie, this process itself, a child that other code waits for.
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
  refuseThread(system, pid)

  watchChildren(system)
  const wanted = optionsFor(follow, exitKill)
  system.ptraceSeize(pid, wanted)
  const life = new ChildLife(system, pid, [])
  const tracee = newTracee({ life, tracing: 'seize', follow, exitKill, kind: 'attached' })
  const process = processOf(tracee)
  life.handOver()
  try {
    // Once each thread is traced, those that they start are, too.
    while (seizeThreads(process, wanted)) {}
    await process.halt.beginShown(deadline.signal)
    process.mustBeTraced('PTRACE_SEIZE')
    return tracee
  } catch (error) {
    // A thread in uninterruptible sleep is let go once it is out of it.
    void detach(process, undefined, undefined).catch(() => {})
    tracee.unref()
    throw error
  }
}

/** A thread that is not its process's first one has no object of its own. */
function refuseThread(system: System, pid: number): void {
  const facts = privateCallsOf(system)?.taskOf?.(pid)
  if (facts === undefined || facts.process === pid) return
  const hint = `${pid} is a thread of process ${facts.process}`
  throw new SystemError({ errno: 'EINVAL', syscall: 'ptrace', pid, hint })
}

/** Seizes the threads that are not traced yet; whether there were any. */
function seizeThreads(process: TracedProcess, wanted: number): boolean {
  const { system, pid } = process
  let found = false
  for (const tid of privateCallsOf(system)?.threadsOf?.(pid) ?? []) {
    if (process.tasks.has(tid)) continue
    try {
      system.ptraceSeize(tid, wanted)
    } catch (error) {
      // It has ended; or a thread that is traced has started it, and its event is about to be seen.
      if (isErrno(error, 'ESRCH', 'EPERM')) continue
      throw error
    }
    found = true
    process.addSeized(tid)
  }
  return found
}
