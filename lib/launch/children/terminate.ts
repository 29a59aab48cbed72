/**
 * Ends a child and, where it leads one, its process group: a signal, and SIGKILL for what is left after a grace.
 *
 * A signal never goes to a number that another process may have by now. A pidfd names the child itself. Without one,
 * the child's pid is its own until it is reaped, and its group's number is reserved while a member lives. A detached
 * process that another process reaps is signalled only through its pidfd.
 */

import {
  checkBoolean,
  checkOptions,
  checkSignal,
  checkTimeout,
  invalidValue,
  outOfRange,
} from '../../system/arguments.ts'
import { constants } from '../../system/constants.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import { type Signal, signalNumber, standardSignals } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import type { ExitStatus } from '../../system/wait-status.ts'
import { firstOwn } from '../base/above-standard.ts'
import { Deadline, orAborted } from '../base/deadline.ts'
import { OwnedFd, toBeOwned } from '../base/owned-fd.ts'
import { type ChildLife, statusOf } from './child-life.ts'
import { takeChanges } from './child-watch.ts'

/** Options of {@link Child.terminate}. */
export interface TerminateOptions {
  /** The first signal; SIGTERM by default. */
  readonly signal?: Signal | undefined
  /** Milliseconds until SIGKILL, 5000 by default; negative or Infinity: no SIGKILL. */
  readonly graceMs?: number | undefined
  /**
   * Whether all of the child's process group gets the signals; by default if the child leads one, as with `detached`.
   * Processes that have left the group get none.
   */
  readonly group?: boolean | undefined
}

const { SIGCONT, SIGKILL } = standardSignals
const lastSignal = signalNumber('SIGRTMAX')!
const eperm = -1
const esrch = -3
const enosys = -38

// The kernel reports only the ends of children: whether the group is empty must be polled, less and less often.
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
  if (number < 1 || number > lastSignal) throw outOfRange('options.signal', `a signal, 1 to ${lastSignal}`, signal)
  return {
    signal: number,
    graceMs: checkTimeout(graceMs, 'options.graceMs'),
    group: group === undefined ? undefined : checkBoolean(group, 'options.group'),
  }
}

/** See {@link Child.terminate}. */
export async function terminate(life: ChildLife, options: unknown): Promise<ExitStatus> {
  const { signal, graceMs, group } = checkTerminateOptions(options)
  using target = new Target(life)
  if (life.hasEnded) return statusOf(await life.exited)
  if (group !== false) target.findGroup(group === true)
  target.send(signal)
  // A stopped process would act on the signal only once continued.
  if (signal !== SIGKILL && signal !== SIGCONT) target.send(SIGCONT)
  const { keepsAlive } = life.watched
  // The waits below must keep the event loop alive, even after unref().
  life.keepAlive(true)
  // Its rejection is that of `exited`.
  life.drive?.().catch(() => {})
  if (await goneWithin(life, target, graceMs)) return statusOf(await life.exited)
  try {
    target.kill()
    const exit = await life.exited
    using limit = new Deadline(life.system, 'the end of the group', { timeoutMs: killedWithinMs })
    if (!(await target.emptyBefore(limit.signal))) throw target.unkillable()
    return statusOf(exit)
  } catch (error) {
    // A child that lives on is waited for as before.
    life.keepAlive(keepsAlive)
    throw error
  }
}

/** Whether the child and its group end within the time, without limit where that is negative. */
async function goneWithin(life: ChildLife, target: Target, timeoutMs: number): Promise<boolean> {
  const { system } = life
  // A tracee acts on the signal only once its stop for it has been passed on: a blocked event loop prolongs the grace.
  using grace = new Deadline(system, 'the end', { timeoutMs }, () => takeChanges(system))
  const ended = life.exited.then(
    () => true,
    () => true,
  )
  const hasEnded = await orAborted(ended, grace.signal).catch(() => false)
  return hasEnded && (await target.emptyBefore(grace.signal))
}

/** What the signals go to: the child, or the process group that it leads. */
class Target implements Disposable {
  readonly #system: System
  readonly #life: ChildLife
  readonly #pid: number
  readonly #pidfd: OwnedFd | undefined
  // False for a process that another process reaps: its number may be reused at any time.
  readonly #hasOwnNumber: boolean
  #isGroup = false

  constructor(life: ChildLife) {
    const { system, watched, pid } = life
    this.#system = system
    this.#life = life
    this.#pid = pid
    this.#hasOwnNumber = life.pidfd < 0
    if (!this.#hasOwnNumber) {
      this.#pidfd = new OwnedFd(
        system,
        toBeOwned(system, () => system.fcntl(life.pidfd, constants.F_DUPFD_CLOEXEC, firstOwn)),
      )
      return
    }
    // Another waiter may have reaped it.
    watched.check()
    if (watched.ended) return
    this.#pidfd = openPidfd(system, pid)
    // Still unreaped: the pidfd is the child's.
    watched.check()
  }

  /** Aims at the child's process group, if it leads one. */
  findGroup(isRequired: boolean): void {
    // Only the process itself can have made a group with its own number, and it leads that group.
    this.#isGroup = this.#groupExists()
    if (this.#isGroup || !isRequired) return
    const why = this.#hasOwnNumber
      ? 'is true, but the child leads no process group; launch it with `detached`'
      : 'is true, but the process, which was let go, leads no group, or the kernel (before Linux 6.9) cannot name it'
    throw invalidValue('options.group', why)
  }

  /** Sends a signal; ESRCH is no failure. */
  send(signal: number): void {
    this.#sendTo(this.#isGroup, signal)
  }

  /** Sends SIGKILL. */
  kill(): void {
    this.send(SIGKILL)
    // A signal to a group succeeds where one member takes it, and the child may have become another user.
    if (this.#isGroup && !this.#life.hasEnded) this.#sendTo(false, SIGKILL)
  }

  /** Whether the group loses its last living member before the abort. True at once if the child alone is meant. */
  async emptyBefore(signal: AbortSignal | undefined): Promise<boolean> {
    for (let pauseMs = firstLookMs; !this.#isEmpty(); pauseMs = Math.min(2 * pauseMs, longestLookMs)) {
      if (signal?.aborted === true) return false
      await this.#system.sleep(pauseMs, { signal }).catch(() => {})
    }
    return true
  }

  /** The error if SIGKILL has not ended the whole group. */
  unkillable(): SystemError {
    const hint = 'processes of its group live on: they belong to another user, or wait uninterruptibly'
    return new SystemError({ errno: 'EPERM', syscall: 'kill', pid: this.#pid, hint })
  }

  [Symbol.dispose](): void {
    this.#pidfd?.close()
  }

  #isEmpty(): boolean {
    if (!this.#isGroup) return true
    // To kill(2), zombies are members too, although only their parent keeps them there.
    return !this.#groupExists() || privateCallsOf(this.#system)?.hasLivingMember(this.#pid) === false
  }

  #groupExists(): boolean {
    if (!this.#hasOwnNumber) {
      const answer = this.#byPidfd(true, 0)
      return answer === 0 || answer === eperm
    }
    try {
      this.#system.kill(-this.#pid, 0)
      return true
    } catch (error) {
      return !isErrno(error, 'ESRCH')
    }
  }

  #sendTo(isGroup: boolean, signal: number): void {
    const answer = this.#byPidfd(isGroup, signal)
    if (answer === 0 || answer === esrch) return
    if (!this.#hasOwnNumber) throw this.#refused(isGroup, answer)
    // The pidfd has failed: the kernel has none, or (before 6.9) none for groups, or a sandbox forbids them.
    if (!isGroup && this.#life.watched.ended) return
    try {
      this.#system.kill(isGroup ? -this.#pid : this.#pid, signal)
    } catch (error) {
      if (isErrno(error, 'EPERM')) throw this.#refused(isGroup, eperm)
      if (!isErrno(error, 'ESRCH')) throw error
    }
  }

  #refused(isGroup: boolean, errno: number): SystemError {
    if (isGroup && errno === eperm) return this.unkillable()
    const hint = errno === eperm ? 'it has become another user' : undefined
    return new SystemError({ errno, syscall: 'kill', pid: this.#pid, hint })
  }

  #byPidfd(isGroup: boolean, signal: number): number {
    if (this.#pidfd === undefined) return enosys
    return privateCallsOf(this.#system)?.signalByPidfd(this.#pidfd.fd, signal, isGroup) ?? enosys
  }
}

function openPidfd(system: System, pid: number): OwnedFd | undefined {
  const fd = toBeOwned(system, () => privateCallsOf(system)?.openPidfd(pid))
  return fd === undefined || fd < 0 ? undefined : new OwnedFd(system, fd)
}
