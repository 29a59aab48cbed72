/**
 * Ends a child and, where it leads one, its process group: a signal, and SIGKILL for what is left after a grace.
 *
 * No number is signalled that may be another process's by now. A pidfd names the child itself. Without one, the child's
 * pid is its own until it is reaped, and its group's number is reserved while a member lives.
 */

import { checkBoolean, checkOptions, checkSignal, checkTimeout, invalidValue, outOfRange } from '../system/arguments.ts'
import { isErrno, SystemError } from '../system/errors.ts'
import { privateCallsOf } from '../system/private-calls.ts'
import { type Signal, signalNumber } from '../system/signals.ts'
import type { System } from '../system/system.ts'
import type { ExitStatus } from '../system/wait-status.ts'
import { type ChildLife, statusOf } from './child-life.ts'
import type { WatchedChild } from './child-watch.ts'
import { OwnedFd, toBeOwned } from './owned-fd.ts'

/** Options of {@link Child.terminate}. */
export interface TerminateOptions {
  /** The first signal; SIGTERM by default. */
  readonly signal?: Signal | undefined
  /** Milliseconds until SIGKILL, 5000 by default; without end where negative or Infinity. */
  readonly graceMs?: number | undefined
  /**
   * Whether all of the child's process group gets the signals; by default where the child leads one, as with
   * `detached`. Processes that have left the group get none.
   */
  readonly group?: boolean | undefined
}

const SIGKILL = 9
const SIGCONT = signalNumber('SIGCONT')!
const lastSignal = 64
const esrch = -3

// The kernel reports the end of no process but a child: the group is looked at again and again, less and less often.
const firstLookMs = 1
const longestLookMs = 50
/** A killed process is gone within this time, or cannot be killed. */
const killedWithinMs = 2000

interface Checked {
  readonly signal: number
  readonly graceMs: number
  readonly group: boolean | undefined
}

function checkTerminateOptions(value: unknown): Checked {
  const { signal = 'SIGTERM', graceMs = 5000, group } = checkOptions(value, 'options', ['signal', 'graceMs', 'group'])
  const number = checkSignal(signal, 'options.signal')
  if (number < 1 || number > lastSignal) throw outOfRange('options.signal', 'a signal, 1 to 64', signal)
  return {
    signal: number,
    graceMs: checkTimeout(graceMs, 'options.graceMs'),
    group: group === undefined ? undefined : checkBoolean(group, 'options.group'),
  }
}

/** See {@link Child.terminate}. */
export async function terminate(life: ChildLife, options: unknown): Promise<ExitStatus> {
  const { signal, graceMs, group } = checkTerminateOptions(options)
  using target = new Target(life.system, life.watched, life.pid)
  if (life.watched.ended) return statusOf(await life.exited)
  if (group !== false) target.findGroup(group === true)
  target.send(signal)
  // A stopped process would act on the signal only once continued.
  if (signal !== SIGKILL && signal !== SIGCONT) target.send(SIGCONT)
  // The waits below must keep the event loop alive, even after unref().
  life.watched.keepsAlive = true
  // Its rejection is that of `exited`.
  life.drive?.().catch(() => {})
  if (!(await goneWithin(life, target, graceMs))) {
    target.send(SIGKILL)
    const exit = await life.exited
    if (!(await target.emptyWithin(killedWithinMs))) throw target.unkillable()
    return statusOf(exit)
  }
  return statusOf(await life.exited)
}

/** Whether the child and its group end within the time, without limit where that is negative. */
async function goneWithin(life: ChildLife, target: Target, ms: number): Promise<boolean> {
  const { system } = life
  const over = new AbortController()
  const deadline = system.now() + ms
  const ended = life.exited.then(
    () => true,
    () => true,
  )
  try {
    const passed = ms < 0 ? [] : [system.sleep(ms, { signal: over.signal }).then(() => false)]
    if (!(await Promise.race([ended, ...passed]))) {
      // A blocked event loop runs its timers first: the end may have come in time.
      life.watched.check()
      if (!life.watched.ended) return false
    }
  } finally {
    over.abort()
  }
  return target.emptyWithin(ms < 0 ? Number.POSITIVE_INFINITY : deadline - system.now())
}

/** What the signals go to: the child, or the process group that it leads. */
class Target implements Disposable {
  readonly #system: System
  readonly #watched: WatchedChild
  readonly #pid: number
  readonly #pidfd: OwnedFd | undefined
  #isGroup = false

  constructor(system: System, watched: WatchedChild, pid: number) {
    this.#system = system
    this.#watched = watched
    this.#pid = pid
    // Another waiter may have reaped it.
    watched.check()
    if (watched.ended) return
    this.#pidfd = openPidfd(system, pid)
    // Still unreaped: the pidfd is the child's.
    watched.check()
  }

  /** Aims at the child's process group, if it leads one. */
  findGroup(isRequired: boolean): void {
    // A group is named after a living process only by that process.
    this.#isGroup = this.#exists(-this.#pid)
    if (this.#isGroup || !isRequired) return
    const why = 'is true, but the child leads no process group; launch it with `detached`'
    throw invalidValue('options.group', why)
  }

  /** Sends a signal; ESRCH is no failure. */
  send(signal: number): void {
    if (this.#sentByPidfd(signal)) return
    if (!this.#isGroup && this.#watched.ended) return
    try {
      this.#system.kill(this.#isGroup ? -this.#pid : this.#pid, signal)
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  /** Whether the group has no living member, or has none within the time. At once where the child alone is meant. */
  async emptyWithin(ms: number): Promise<boolean> {
    const end = this.#system.now() + ms
    for (let pauseMs = firstLookMs; !this.#isEmpty(); pauseMs = Math.min(2 * pauseMs, longestLookMs)) {
      const leftMs = end - this.#system.now()
      if (leftMs <= 0) return false
      await this.#system.sleep(Math.min(pauseMs, leftMs))
    }
    return true
  }

  /** The error where SIGKILL has not ended the whole group. */
  unkillable(): SystemError {
    const hint = 'processes of its group live on: they belong to another user, or wait uninterruptibly'
    return new SystemError({ errno: 'EPERM', syscall: 'kill', pid: this.#pid, hint })
  }

  [Symbol.dispose](): void {
    this.#pidfd?.close()
  }

  #isEmpty(): boolean {
    if (!this.#isGroup) return true
    // Zombies, which wait for their parent alone, are members to kill(2).
    return !this.#exists(-this.#pid) || privateCallsOf(this.#system)?.hasLivingMember(this.#pid) === false
  }

  #exists(target: number): boolean {
    try {
      this.#system.kill(target, 0)
      return true
    } catch (error) {
      return !isErrno(error, 'ESRCH')
    }
  }

  /** False where the kernel cannot: it has no pidfds, or before 6.9 none for groups, or a sandbox forbids them. */
  #sentByPidfd(signal: number): boolean {
    if (this.#pidfd === undefined) return false
    const answer = privateCallsOf(this.#system)?.signalByPidfd(this.#pidfd.fd, signal, this.#isGroup)
    return answer === 0 || answer === esrch
  }
}

function openPidfd(system: System, pid: number): OwnedFd | undefined {
  const fd = toBeOwned(system, () => privateCallsOf(system)?.openPidfd(pid))
  return fd === undefined || fd < 0 ? undefined : new OwnedFd(system, fd)
}
