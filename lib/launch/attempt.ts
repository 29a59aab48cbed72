/**
 * One launch: the parent's side of the order that leaves no orphan. The child's side is in child-actions.ts.
 *
 * The child notifies once it is ready; it is bound to us (PTRACE_O_EXITKILL) before it goes on; it waits at the gate while beforeExec runs;
 * only then does it exec.
 */

import { CheckedProgram, type ChildAction } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import { ChildDiedError, isErrno, SystemError } from '../system/errors.ts'
import type { System, WaitResult } from '../system/system.ts'
import { type ExitStatus, isExit } from '../system/wait-status.ts'
import { Channel } from './channel.ts'
import { Child } from './child.ts'
import { childActions, stepError } from './child-actions.ts'
import { watchChildren } from './child-watch.ts'
import { orAborted } from './deadline.ts'
import { Handshake } from './handshake.ts'
import type { LaunchPlan } from './plan.ts'
import { Stdio } from './stdio.ts'
import { Tracee } from './tracee.ts'

const { O_NONBLOCK, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, PTRACE_O_TRACESYSGOOD } = constants

const optionsAfterExec = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD
// Until its exec every child dies with us, whatever becomes of it then.
const optionsBeforeExec = optionsAfterExec | PTRACE_O_EXITKILL

/** A promise with its ends outside. Its rejection may go unawaited: some other step of the launch tells it. */
class Deferred {
  readonly promise: Promise<void>
  resolve!: () => void
  #reject!: (error: unknown) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.#reject = reject
    })
  }

  reject(error: unknown): void {
    this.promise.catch(() => {})
    this.#reject(error)
  }
}

export class Attempt {
  readonly #plan: LaunchPlan
  readonly #system: System
  readonly #options: number
  // Settles at the exec event; rejects when the child ends before it.
  readonly #execed = new Deferred()
  // Settles when a stop was seen and the child sent on with the options that bind it to us. Nobody waits for it where there is no gate.
  readonly #bound: Deferred | undefined
  #isBound = false
  #hasEnded = false
  #isGateBroken = false
  #stdio: Stdio | undefined
  #channel: Channel | undefined
  #gate: Channel | undefined
  #child: Child | undefined
  #handshake: Handshake | undefined
  #actions: readonly ChildAction[] = []

  constructor(plan: LaunchPlan) {
    this.#plan = plan
    this.#system = plan.system
    this.#bound = plan.hasGate && plan.trace === 'traceme' ? new Deferred() : undefined
    this.#options = plan.exitKill ? optionsBeforeExec : optionsAfterExec
  }

  /** Forks the child. It is seen from then on; what was opened is known to undo(), whatever fails. */
  start(): Child | Tracee {
    const { trace, hasGate, memory } = this.#plan
    const system = this.#system
    // Each is known to undo() before the next is opened.
    const stdio = Stdio.open(system, this.#plan.stdio)
    this.#stdio = stdio
    const channel = this.#openChannel(stdio, O_NONBLOCK)
    this.#channel = channel
    const gate = hasGate ? this.#openChannel(stdio) : undefined
    this.#gate = gate
    this.#actions = childActions(this.#plan, stdio, channel.writeFd, gate?.readFd)

    watchChildren(system)
    const pid = system.fork(new CheckedProgram(this.#actions, channel.writeFd, memory))
    const handshake = new Handshake(system, channel)
    const child =
      trace === false ? new Child(system, pid, stdio.streams) : new Tracee(system, pid, stdio.streams, trace)
    child.launcher = result => this.#onChange(child, handshake, result)
    this.#child = child
    stdio.closeChildEnds()
    channel.closeWrite()
    gate?.closeRead()
    this.#handshake = handshake
    return child
  }

  /** Settles once the child has exec'ed; rejects when it ends before that, or when the launch is aborted. */
  untilExec(child: Child, signal: AbortSignal | undefined): Promise<void> {
    const { trace, hasGate } = this.#plan
    // Nothing to wait for on the way: #onChange does what there is to do.
    if (trace === 'traceme' && !hasGate) return orAborted(this.#execed.promise, signal)
    return this.#throughGate(child, this.#handshake!, signal)
  }

  /** The child is what was asked for, and its user's. */
  finish(child: Child): void {
    this.#channel?.close()
    this.#gate?.close()
    child.handOver()
  }

  /** Undoes what was done: the child killed and reaped, every descriptor closed. */
  async undo(): Promise<void> {
    if (this.#child !== undefined) this.#child.launcher = undefined
    this.#channel?.close()
    this.#gate?.close()
    this.#stdio?.destroy()
    await this.#child?.[Symbol.asyncDispose]()
    this.#child?.handOver()
  }

  /** Meets the child where it waits, and sees it off. */
  async #throughGate(child: Child, handshake: Handshake, signal: AbortSignal | undefined): Promise<void> {
    const { trace, beforeExec, hasGate } = this.#plan
    if (this.#bound !== undefined) {
      // Its stop tells that the byte has come: one wake-up, where waiting for the byte and then for the stop takes two.
      await this.#orEnd(this.#bound.promise, signal)
    } else if (hasGate) {
      if (!(await handshake.awaitNotification({ signal }))) await this.#failed(child, handshake, signal)
      if (trace === 'seize') this.#seize(child)
    }
    if (beforeExec !== undefined) await this.#orEnd(Promise.resolve(beforeExec(child)), signal)
    this.#open(this.#gate)
    if (trace === false) {
      await handshake.awaitEnd({ signal })
      if (handshake.report !== undefined || !this.#hasPassed(this.#gate)) await this.#failed(child, handshake, signal)
    } else {
      await orAborted(this.#execed.promise, signal)
    }
  }

  #openChannel(stdio: Stdio, flags?: number): Channel {
    const { read, write } = stdio.pipeAbove(this.#system, flags)
    return Channel.ofLaunch(this.#system, read, write)
  }

  #seize(child: Child): void {
    try {
      this.#system.ptraceSeize(child.pid, optionsBeforeExec)
    } catch (error) {
      // Killed since: its end is here or on its way, and tells more. One that is not reaped yet is refused with EPERM.
      child.poll()
      if (this.#hasEnded || isErrno(error, 'ESRCH')) return
      throw error instanceof SystemError ? new SystemError({ ...error, step: 'seize' }) : error
    }
  }

  #open(gate: Channel | undefined): void {
    try {
      gate?.notify()
    } catch (error) {
      // The child's end is gone, and so is the child.
      if (!isErrno(error, 'EPIPE')) throw error
      this.#isGateBroken = true
    }
  }

  /** Whether the child has read what lets it go. One that was killed at the gate has not. */
  #hasPassed(gate: Channel | undefined): boolean {
    return gate === undefined || (!this.#isGateBroken && this.#system.bytesReadable(gate.writeFd) === 0)
  }

  /** What `promise` brings, unless the child ends or the launch is aborted before. */
  #orEnd(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const end = this.#execed.promise.then(() => promise)
    return orAborted(Promise.race([promise, end]), signal)
  }

  /** Waits for the end of a child that has failed; throws why. */
  async #failed(child: Child, handshake: Handshake, signal: AbortSignal | undefined): Promise<never> {
    child.poll()
    const exit = await orAborted(child.exited, signal)
    throw this.#reason(child, handshake) ?? new ChildDiedError(child.pid, exit)
  }

  /** As an error to give, never thrown: the child's end has to be told to others, too. */
  #whyEnded(child: Child, handshake: Handshake, status: ExitStatus): unknown {
    try {
      return this.#reason(child, handshake) ?? new ChildDiedError(child.pid, status)
    } catch (error) {
      return error
    }
  }

  #reason(child: Child, handshake: Handshake): Error | undefined {
    handshake.drain()
    const { report } = handshake
    return report && stepError(this.#plan, this.#actions, report, child.pid)
  }

  /** Sees every change of the child until the launch is over; true for those that are only the launch's business. */
  #onChange(child: Child, handshake: Handshake, { status }: WaitResult): boolean {
    if (isExit(status)) {
      this.#hasEnded = true
      this.#execed.reject(this.#whyEnded(child, handshake, status))
      return false
    }
    if (status.kind !== 'stopped') return true
    try {
      if (status.event === 'exec') {
        if (!this.#plan.exitKill) this.#system.ptraceSetOptions(child.pid, this.#options)
        child.launcher = undefined
        this.#execed.resolve()
        return false
      }
      if (!this.#isBound && this.#plan.trace === 'traceme') {
        this.#system.ptraceSetOptions(child.pid, optionsBeforeExec)
        this.#isBound = true
      }
      // Its own SIGSTOP has done its work; whatever else comes before the exec is the program's to get.
      const signal = status.signal === 'SIGSTOP' || status.event !== undefined ? undefined : status.signal
      this.#system.ptraceCont(child.pid, signal)
      if (this.#bound === undefined) return true
      // The byte came before the stop: it is read while the child goes on.
      if (!handshake.notified) handshake.drain()
      if (handshake.notified) this.#bound.resolve()
    } catch (error) {
      // Killed at this very stop: its end is on its way.
      if (!isErrno(error, 'ESRCH')) this.#execed.reject(error)
    }
    return true
  }
}
