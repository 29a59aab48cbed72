/** What can go wrong without anybody's fault: a process is killed, a call fails or does less than it was asked for. */

import { constants } from '../../system/constants.ts'
import { blocked, EAGAIN, EINTR, EMFILE, ENOMEM, isRestart } from '../base/results.ts'
import type { Actor } from '../base/scheduler.ts'
import { SIGKILL } from '../base/signal-numbers.ts'
import type { Faults, Kernel } from '../kernel/kernel.ts'
import { fromUser } from '../processes/pending-signals.ts'
import type { Process } from '../processes/process.ts'
import { sendToProcess } from '../processes/signals.ts'
import type { Action, CallRow, Task } from '../processes/task.ts'

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

/** Calls that a signal can interrupt while they wait. */
const interruptible: ReadonlySet<string> = new Set(
  ['read', 'write', 'send', 'recv', 'sendmsg', 'recvmsg', 'poll', 'ppoll', 'epoll_wait', 'waitpid'].concat('nanosleep'),
)

/** Calls on a stream of bytes that may move fewer than asked for. */
const partial: ReadonlySet<string> = new Set(['read', 'write', 'send', 'recv'])

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

/** How many bytes a call cut short moves: half of what it could; 0 where there is nothing to halve. */
function fewerBytes(task: Task, call: string, [fd, bytes]: readonly unknown[]): number {
  const file = task.process.descriptors.get(fd as number)
  if (!(bytes instanceof Uint8Array) || file === undefined || file.keepsMessages) return 0
  const readable = call === 'read' || call === 'recv' ? file.readableBytes() : bytes.length
  return Math.floor(Math.min(bytes.length, readable) / 2)
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
  #left: number

  constructor(kernel: Kernel, most: number) {
    this.#kernel = kernel
    this.#left = most
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
    const fewer = partial.has(name) ? fewerBytes(task, name, args) : 0
    if (errnos.length > 0 || fewer > 0) {
      const options = ['none', ...errnos.map(errno => names[errno]!), ...(fewer > 0 ? ['short'] : [])]
      const chosen = this.#choose(task, name, options)
      const errno = errnos[chosen - 1]
      if (errno !== undefined) return -errno
      if (chosen > 0) return cutShort(call, args, fewer)(task)
    }
    const result = act(task)
    return result === blocked && interruptible.has(name) && this.isPossible ? this.#mayInterrupt(task, name) : result
  }

  #choose(task: Task, call: string, options: readonly string[]): number {
    const chosen = this.#kernel.choose({ kind: 'fault', options, task, call })
    if (chosen > 0) {
      this.#left--
      this.#kernel.trace.faulted?.(task, options[chosen]!)
    }
    return chosen
  }

  /** The call has blocked: a signal whose handler says nothing may end it. */
  #mayInterrupt(task: Task, call: string): unknown {
    if (this.#choose(task, call, ['none', 'EINTR']) === 0) return blocked
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
