/**
 * What can go wrong at any time: a process is killed, a call fails, is interrupted, or moves fewer bytes than it was asked for.
 *
 * By default only what Linux can do. {@link FaultBounds.portable} adds what POSIX leaves open and Linux never does.
 */

import { constants } from '../../system/constants.ts'
import { blocked, EAGAIN, EINTR, EMFILE, ENOMEM, isRestart } from '../base/results.ts'
import type { Actor } from '../base/scheduler.ts'
import { SIGKILL } from '../base/signal-numbers.ts'
import { PipeEnd } from '../files/pipe.ts'
import type { Faults, Kernel } from '../kernel/kernel.ts'
import { fromUser } from '../processes/pending-signals.ts'
import type { Process } from '../processes/process.ts'
import { sendToProcess } from '../processes/signals.ts'
import type { Action, CallRow, Task } from '../processes/task.ts'

/** How many faults a run may have, and of which kinds. */
export interface FaultBounds {
  readonly faults: number
  /** Also what POSIX alone allows, and Linux does not do. */
  readonly portable?: true | undefined
}

/** The documented errnos with which a call fails for want of something, whatever it was asked for. */
const failures: Readonly<Record<string, readonly number[]>> = {
  pipe2: [EMFILE],
  socketpair: [EMFILE],
  dup: [EMFILE],
  openat: [EMFILE, ENOMEM],
  open: [EMFILE, ENOMEM],
  epoll_create1: [EMFILE, ENOMEM],
  epoll_ctl: [ENOMEM],
  fork: [EAGAIN, ENOMEM],
  clone: [EAGAIN],
  execve: [EAGAIN, ENOMEM],
  sendmsg: [ENOMEM],
}

/** Calls that Linux does not make again after a handler, SA_RESTART or not: signal(7). */
const neverRestarted: ReadonlySet<string> = new Set(['poll', 'ppoll', 'epoll_wait', 'nanosleep'])

/** Calls that a handler ends while they wait; all but those above go on by themselves after one with SA_RESTART. */
const interruptible: ReadonlySet<string> = new Set([
  ...neverRestarted,
  ...['read', 'write', 'send', 'recv', 'sendmsg', 'recvmsg', 'waitpid'],
])

/** The call that a stop signal and the SIGCONT after it end as well, without any handler: signal(7). */
const endedByStop = 'epoll_wait'

/** Calls that move bytes of a stream, and may move fewer than asked for. */
const reading: ReadonlySet<string> = new Set(['read', 'recv'])
const writing: ReadonlySet<string> = new Set(['write', 'send'])

/** _POSIX_PIPE_BUF: what a write to a pipe moves as a whole on every system. */
const leastPipeBuf = 512

const names: Readonly<Record<number, string>> = {
  [EMFILE]: 'EMFILE',
  [ENOMEM]: 'ENOMEM',
  [EAGAIN]: 'EAGAIN',
  [EINTR]: 'EINTR',
}

function failuresOf(call: string, args: readonly unknown[]): readonly number[] {
  if (call !== 'fcntl') return failures[call] ?? []
  const duplicates = args[1] === constants.F_DUPFD || args[1] === constants.F_DUPFD_CLOEXEC
  return duplicates ? [EMFILE] : []
}

/** How many bytes a call cut short moves: half of what it could; 0 where it cannot be. */
function fewerBytes(task: Task, call: string, [fd, bytes]: readonly unknown[], portable: boolean): number {
  const reads = reading.has(call)
  if (!reads && !writing.has(call)) return 0
  const file = task.process.descriptors.get(fd as number)
  if (!(bytes instanceof Uint8Array) || file === undefined || file.keepsMessages || !file.hasState) return 0
  const { length } = bytes
  // Linux ends a read only where what is there ends.
  if (reads) return portable ? Math.max(Math.floor(Math.min(length, file.readableBytes()) / 2), 0) : 0
  if (!portable) return file.shortWriteBytes(length)
  return file instanceof PipeEnd && length <= leastPipeBuf ? 0 : Math.floor(length / 2)
}

/** A process that could be killed, as an option of who moves. */
class Kill implements Actor {
  readonly isFault = true
  readonly process: Process

  constructor(process: Process) {
    this.process = process
  }

  /** Apart from those of the actors. */
  get id(): number {
    return -this.process.id
  }

  get label(): string {
    return `SIGKILL to ${this.process.name}`
  }
}

/** Offers the scheduler faults, up to a number of them. */
export class FaultInjector implements Faults {
  readonly #kernel: Kernel
  readonly #portable: boolean
  #left: number

  constructor(kernel: Kernel, { faults, portable }: FaultBounds) {
    this.#kernel = kernel
    this.#portable = portable === true
    this.#left = faults
  }

  get isPossible(): boolean {
    return this.#left > 0
  }

  /** Every process that lives, the host apart. */
  kills(): readonly Actor[] {
    const { host, init, shell, processes } = this.#kernel
    const found: Kill[] = []
    for (const process of processes.values()) {
      if (process === host.process || process === init || process === shell) continue
      if (process.groupExit === null && process.tasks.length > 0) found.push(new Kill(process))
    }
    return found
  }

  make(kill: Actor): void {
    this.#left--
    const { process } = kill as Kill
    this.#kernel.trace.faulted?.(process.leader, 'SIGKILL')
    // It comes from outside: nothing that anybody here did before is behind it.
    this.#kernel.acting = this.#kernel.init.leader
    sendToProcess(process, SIGKILL, { code: fromUser, pid: 0, uid: 0 })
    this.#kernel.acting = this.#kernel.host
  }

  perform(task: Task, call: CallRow, act: Action, args: readonly unknown[]): unknown {
    if (!this.isPossible) return act(task)
    const { name } = call
    const errnos = failuresOf(name, args)
    const fewer = fewerBytes(task, name, args, this.#portable)
    if (errnos.length > 0 || fewer > 0) {
      const options = ['none', ...errnos.map(errno => names[errno]!), ...(fewer > 0 ? ['short'] : [])]
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
   * Whether a signal from outside could end the call that has just blocked. One that has moved bytes ends with them, handler or not.
   *
   * POSIX lets any library of the process have a handler, so a portable program reckons with EINTR wherever it waits.
   */
  #canBeInterrupted(task: Task, call: string): boolean {
    if (!interruptible.has(call)) return false
    return this.#portable || call === endedByStop || task.wait!.movedBytes > 0 || this.#isHandled(task, call)
  }

  /** Whether a handler could end such a call of this task. */
  #isHandled(task: Task, call: string): boolean {
    const evenWithRestart = neverRestarted.has(call)
    // The host's handlers are Node's, all of which have SA_RESTART.
    if (task === this.#kernel.host) return evenWithRestart
    for (const [signal, { handler, restart }] of task.process.actions) {
      if (typeof handler === 'function' && (evenWithRestart || !restart) && !task.mask.has(signal)) return true
    }
    return false
  }

  /** The call has blocked: a signal from outside may end it. */
  #mayInterrupt(task: Task, call: string): unknown {
    const how = task.wait!.movedBytes > 0 ? 'short' : 'EINTR'
    if (this.#choose(task, call, ['none', how]) === 0) return blocked
    const ended = task.wait!.interrupted()
    task.unblock()
    task.state = 'running'
    return isRestart(ended) ? -EINTR : ended
  }
}

/** The call on the first of its bytes only. */
function cutShort(call: CallRow, [fd, bytes, ...others]: readonly unknown[], fewer: number): Action {
  return call.prepare!(fd, (bytes as Uint8Array).subarray(0, fewer), ...others)
}
