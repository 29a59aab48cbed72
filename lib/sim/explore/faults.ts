/**
 * Faults that may occur at any time: a process is killed; a call fails, is interrupted, or moves too few bytes.
 *
 * By default only faults that Linux allows. {@link FaultBounds.portable} adds those that only POSIX allows.
 */

import { describeErrno } from '../../system/errno.ts'
import { blocked, EINTR, isRestart } from '../base/results.ts'
import type { Actor } from '../base/scheduler.ts'
import { SIGKILL } from '../base/signal-numbers.ts'
import { PipeEnd } from '../files/pipe-end.ts'
import type { Faults } from '../kernel/explored-run.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { fromUser } from '../processes/pending-signals.ts'
import type { Process } from '../processes/process.ts'
import { sendToProcess } from '../processes/signals.ts'
import type { Action, CallRow, Task } from '../processes/task.ts'
import { shortages } from './shortages.ts'

/** The number and kinds of faults in a run. */
export interface FaultBounds {
  readonly faults: number
  /** Also inject what POSIX allows and Linux never does. */
  readonly portable?: true | undefined
}

/** Calls that Linux never restarts after a handler, even with SA_RESTART: signal(7). */
const neverRestarted: ReadonlySet<string> = new Set(['poll', 'ppoll', 'epoll_wait', 'nanosleep'])

/** Calls that a handler interrupts while they wait. All but those above restart after a handler with SA_RESTART. */
const interruptible: ReadonlySet<string> = new Set([
  ...neverRestarted,
  ...['read', 'write', 'send', 'recv', 'sendmsg', 'recvmsg', 'waitpid', 'waitid'],
])

/** The call that a stop signal followed by SIGCONT also ends, without any handler: signal(7). */
const endedByStop = 'epoll_wait'

/** Calls that read from a stream, and may move fewer bytes than asked. */
const reading: ReadonlySet<string> = new Set(['read', 'recv'])
const writing: ReadonlySet<string> = new Set(['write', 'send'])

/** _POSIX_PIPE_BUF: the size of a pipe write that is atomic on every system. */
const leastPipeBuf = 512

/** The bytes that a shortened call moves: half of the possible number; 0 if it cannot be shortened. */
function fewerBytes(task: Task, call: string, [fd, bytes]: readonly unknown[], portable: boolean): number {
  const reads = reading.has(call)
  if (!reads && !writing.has(call)) return 0
  const file = task.process.descriptors.get(fd as number)
  if (!(bytes instanceof Uint8Array) || file === undefined || file.keepsMessages || !file.hasState) return 0
  const { length } = bytes
  // On Linux a read is short only if no more bytes are available.
  if (reads) return portable ? Math.max(Math.floor(Math.min(length, file.readableBytes()) / 2), 0) : 0
  if (!portable) return file.shortWriteBytes(length)
  return file instanceof PipeEnd && length <= leastPipeBuf ? 0 : Math.floor(length / 2)
}

/** A kill of a process, as one choice of the scheduler. */
export class Kill implements Actor {
  readonly isFault = true
  readonly id: number
  readonly process: Process

  constructor(id: number, process: Process) {
    this.id = id
    this.process = process
  }

  get label(): string {
    return `SIGKILL to ${this.process.name}`
  }
}

/** Offers faults to the scheduler, up to a bound. */
export class FaultInjector implements Faults {
  readonly #kernel: Kernel
  readonly #portable: boolean
  readonly #kills = new Map<Process, Kill>()
  #left: number

  constructor(kernel: Kernel, { faults, portable }: FaultBounds) {
    this.#kernel = kernel
    this.#portable = portable === true
    this.#left = faults
  }

  get isPossible(): boolean {
    return this.#left > 0
  }

  /** The options, and a kill of every living process except the host. */
  withKills(options: readonly Actor[]): readonly Actor[] {
    const { host, init, shell, processes } = this.#kernel
    const all: Actor[] = []
    for (const option of options) all.push(option)
    for (const process of processes.values()) {
      if (process === host.process || process === init || process === shell) continue
      if (process.groupExit === null && process.tasks.length > 0) all.push(this.#killOf(process))
    }
    return all
  }

  #killOf(process: Process): Kill {
    let kill = this.#kills.get(process)
    if (kill === undefined) {
      kill = new Kill(this.#kernel.newActorId(), process)
      this.#kills.set(process, kill)
    }
    return kill
  }

  kill(chosen: Actor): void {
    this.#left--
    const { process } = chosen as Kill
    this.#kernel.trace.faulted?.(process.leader, 'SIGKILL')
    // The kill comes from outside: it depends on no earlier event of the simulation.
    this.#kernel.acting = this.#kernel.init.leader
    sendToProcess(process, SIGKILL, { code: fromUser, pid: 0, uid: 0 })
    this.#kernel.acting = this.#kernel.host
  }

  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown {
    if (!this.isPossible) return act(task)
    const { name } = call
    const errnos = shortages(task, name, args)
    const fewer = fewerBytes(task, name, args, this.#portable)
    if (errnos.length > 0 || fewer > 0) {
      const options = ['none', ...errnos.map(errno => describeErrno(errno).code), ...(fewer > 0 ? ['short'] : [])]
      const chosen = this.#choose(task, name, options)
      const errno = errnos[chosen - 1]
      if (errno !== undefined) return -errno
      if (chosen > 0) return cutShort(call, args, fewer)(task)
    }
    const result = act(task)
    return result === blocked && this.isPossible && this.#canBeInterrupted(task, name)
      ? this.#mayInterrupt(task, name)
      : result
  }

  #choose(task: Task, call: string, options: readonly string[]): number {
    const chosen = this.#kernel.choose({ kind: 'fault', options, task, call })
    if (chosen > 0) {
      this.#left--
      this.#kernel.trace.faulted?.(task, options[chosen]!)
    }
    return chosen
  }

  /**
   * Whether a signal from outside could end the call that has just blocked. A call that has moved bytes always ends: it
   * returns them, handler or not.
   *
   * POSIX lets any library install a handler, so a portable program expects EINTR from every wait.
   */
  #canBeInterrupted(task: Task, call: string): boolean {
    if (!interruptible.has(call)) return false
    return this.#portable || call === endedByStop || task.wait!.movedBytes > 0 || this.#isHandled(task, call)
  }

  /** Whether the task could have a handler that ends such a call. */
  #isHandled(task: Task, call: string): boolean {
    const evenWithRestart = neverRestarted.has(call)
    // The host's handlers are Node's, all with SA_RESTART.
    if (task === this.#kernel.host) return evenWithRestart
    for (const [signal, { handler, restart }] of task.process.actions) {
      if (typeof handler === 'function' && (evenWithRestart || !restart) && !task.mask.has(signal)) return true
    }
    return false
  }

  /** Offers to interrupt the blocked call by a signal from outside. */
  #mayInterrupt(task: Task, call: string): unknown {
    const how = task.wait!.movedBytes > 0 ? 'short' : 'EINTR'
    if (this.#choose(task, call, ['none', how]) === 0) return blocked
    const ended = task.wait!.interrupted()
    task.unblock()
    task.state = 'running'
    return isRestart(ended) ? -EINTR : ended
  }
}

/** The call, limited to the first of its bytes. */
function cutShort(call: CallRow, [fd, bytes, ...others]: readonly unknown[], fewer: number): Action {
  return call.prepare!(fd, (bytes as Uint8Array).subarray(0, fewer), ...others)
}
