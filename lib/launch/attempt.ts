/**
 * One launch: the parent's side of the order that leaves no orphan. The child's side is in child-actions.ts.
 *
 * The child notifies once it is ready; it is bound to us (PTRACE_O_EXITKILL) before it goes on; it waits at the gate while beforeExec runs;
 * only then does it exec.
 */

import { CheckedProgram, type ChildAction } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import { ChildDiedError, isErrno, nameStep, SystemError } from '../system/errors.ts'
import { privateCallsOf, seizeAwaited } from '../system/private-calls.ts'
import type { System, WaitResult } from '../system/system.ts'
import { isExit } from '../system/wait-status.ts'
import { type Channel, channelOfLaunch } from './channel.ts'
import { type Child, newChild } from './child.ts'
import { childActions, stepError } from './child-actions.ts'
import { ChildLife } from './child-life.ts'
import { watchChildren } from './child-watch.ts'
import { orAborted } from './deadline.ts'
import { takeEveryStep, undoEveryStep } from './every-step.ts'
import { Handshake } from './handshake.ts'
import type { LaunchPlan } from './plan.ts'
import { Stdio } from './stdio.ts'
import { newTracee, type Tracee } from './tracee.ts'

const { O_NONBLOCK, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, PTRACE_O_TRACESYSGOOD } = constants

const optionsAfterExec = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD
// Until its exec every child dies with us, whatever becomes of it then.
const optionsBeforeExec = optionsAfterExec | PTRACE_O_EXITKILL

/**
 * How far the child has come:
 *
 * - 'starting': forked, or about to be.
 * - 'bound': it was seen to be traced and dies with us; sent on to its exec, or to the gate before it.
 * - 'preparing': it waits at the gate while beforeExec runs, which may do with it what it likes.
 * - 'released': an untraced one, on its way to its exec with nothing to hold it.
 * - 'execed': at its exec event, or running the program.
 * - 'ended': before its exec; reaped, here or by another waiter.
 */
type Stage = 'starting' | 'bound' | 'preparing' | 'released' | 'execed' | 'ended'

/** A promise with its ends outside. Its rejection may go unawaited: another step of the launch tells it. */
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
  #stage: Stage = 'starting'
  // Settles at the exec event; rejects when the child ends before it.
  readonly #execed = new Deferred()
  // Settles once the child is bound and has sent its notify byte. Only where a gate comes next.
  readonly #bound: Deferred | undefined
  #stdio: Stdio | undefined
  #channel: Channel | undefined
  #gate: Channel | undefined
  #child: Child | undefined
  #life: ChildLife | undefined
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
    const life = new ChildLife(system, pid, stdio.streams)
    const child = trace === false ? newChild(life) : newTracee(life, trace)
    life.launcher = {
      changed: result => this.#onChange(life, handshake, result),
      lost: error => this.#onEnd(handshake, error),
      ...(trace !== false && { quiet: () => this.#onQuiet(life) }),
    }
    this.#life = life
    this.#child = child
    this.#handshake = handshake
    if (trace === false && !hasGate) this.#release(life)
    takeEveryStep([() => stdio.closeChildEnds(), () => channel.closeWrite(), () => gate?.closeRead()])
    return child
  }

  /** Settles once the child has exec'ed; rejects when it ends before that, or when the launch is aborted. */
  untilExec(child: Child, signal: AbortSignal | undefined): Promise<void> {
    const { trace, hasGate } = this.#plan
    // Nothing to wait for on the way: #onChange does what there is to do.
    if (trace === 'traceme' && !hasGate) return orAborted(this.#execed.promise, signal)
    return this.#throughGate(child, this.#life!, this.#handshake!, signal)
  }

  /** Takes what the child has done that the event loop has not told yet. Whether there was anything. */
  look(): boolean {
    const changed = this.#life?.watched.poll() ?? false
    return this.#lookAtHandshake() || changed
  }

  #lookAtHandshake(): boolean {
    try {
      return this.#handshake?.look() ?? false
    } catch {
      // Other code has closed the descriptor: there is nothing more to be found, and the wait under way rejects with it.
      return false
    }
  }

  /** The child is what was asked for, and its user's. */
  finish(): void {
    takeEveryStep([() => this.#channel?.close(), () => this.#gate?.close(), () => this.#stdio?.closeGivenChannels()])
    this.#life?.handOver()
  }

  /** Undoes what was done: the child killed and reaped, every descriptor closed. Goes on past a step that fails. */
  async undo(): Promise<void> {
    const life = this.#life
    if (life !== undefined) life.launcher = undefined
    undoEveryStep([
      () => life?.watched.release(),
      () => this.#channel?.close(),
      () => this.#gate?.close(),
      () => this.#stdio?.destroy(),
    ])
    await this.#child?.[Symbol.asyncDispose]().catch(() => {})
    life?.handOver()
  }

  /** Meets the child where it waits, and sees it off. */
  async #throughGate(
    child: Child,
    life: ChildLife,
    handshake: Handshake,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { trace, beforeExec, hasGate } = this.#plan
    if (this.#bound !== undefined) {
      // Its stop tells that the byte has come: one wake-up, where waiting for the byte and then for the stop takes two.
      await this.#orEnd(this.#bound.promise, signal)
    } else if (hasGate) {
      if (!(await handshake.awaitNotification({ signal }))) await this.#failed(life, signal)
      if (trace === 'seize' && !this.#seize(life)) await this.#failed(life, signal)
    }
    if (beforeExec !== undefined) {
      this.#goOn('starting', 'preparing')
      this.#goOn('bound', 'preparing')
      await this.#orEnd(Promise.resolve(beforeExec(child)), signal)
    }
    if (this.#gate !== undefined && !this.#open(this.#gate, life)) await this.#failed(life, signal)
    if (trace === false) await this.#untilReplaced(life, handshake, signal)
    else await orAborted(this.#execed.promise, signal)
  }

  #goOn(from: Stage, to: Stage): void {
    if (this.#stage === from) this.#stage = to
  }

  #openChannel(stdio: Stdio, flags?: number): Channel {
    const { read, write } = stdio.pipeAbove(this.#system, flags)
    return channelOfLaunch(this.#system, read, write)
  }

  /** False where the child has ended since, which tells more than the refusal: one that is not reaped yet is refused with EPERM. */
  #seize(life: ChildLife): boolean {
    try {
      seizeAwaited(this.#system, life.pid, optionsBeforeExec)
      this.#goOn('starting', 'bound')
      return true
    } catch (error) {
      life.watched.poll()
      if (this.#stage === 'ended') return false
      nameStep(error, 'seize')
      throw error
    }
  }

  /** Lets the child go. False where its end of the gate is gone, and so is the child. */
  #open(gate: Channel, life: ChildLife): boolean {
    // Before the byte: the child may exec and end before the next line.
    if (this.#plan.trace === false) this.#release(life)
    else this.#goOn('preparing', 'bound')
    try {
      gate.notify()
      return true
    } catch (error) {
      if (!isErrno(error, 'EPIPE')) throw error
      return false
    }
  }

  /**
   * Nothing holds an untraced child any more. Its end of file comes of its exec as of its end, and only the kernel can tell which: as long
   * as the child is not reaped.
   */
  #release(life: ChildLife): void {
    this.#goOn('starting', 'released')
    this.#goOn('preparing', 'released')
    life.watched.hold()
  }

  /** Waits for the exec of an untraced child. */
  async #untilReplaced(life: ChildLife, handshake: Handshake, signal: AbortSignal | undefined): Promise<void> {
    await handshake.awaitEnd({ signal })
    const hasExeced = handshake.report === undefined && this.#hasExeced(life)
    if (!hasExeced || this.#stage !== 'released') return this.#failed(life, signal)
    this.#stage = 'execed'
    life.watched.release()
  }

  #hasExeced(life: ChildLife): boolean {
    const known = privateCallsOf(this.#system)?.hasExeced(life.pid)
    if (known !== undefined) return known
    // A child that was killed at the gate has not read what lets it go.
    return this.#gate === undefined || this.#system.bytesReadable(this.#gate.writeFd) === 0
  }

  /** What `promise` brings, unless the child ends or the launch is aborted before. */
  #orEnd(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const end = this.#execed.promise.then(() => promise)
    return orAborted(Promise.race([promise, end]), signal)
  }

  /** Waits for the end of a child that has failed; throws why. */
  async #failed(life: ChildLife, signal: AbortSignal | undefined): Promise<never> {
    life.watched.release()
    // Its end may be there, or another waiter may have taken it: neither would be announced again.
    life.watched.poll()
    await orAborted(this.#execed.promise, signal)
    // An exec event in spite of all, of a child that other code has let go.
    throw new ChildDiedError(life.pid, await orAborted(life.exited, signal))
  }

  /** The child has ended before its exec: `cause` unless it has sent a failure record, which tells more. */
  #onEnd(handshake: Handshake, cause: Error): void {
    if (this.#stage === 'execed') return
    this.#stage = 'ended'
    this.#execed.reject(this.#reason(handshake) ?? cause)
  }

  /** As an error to give, never thrown: the child's end has to be told to others, too. */
  #reason(handshake: Handshake): unknown {
    try {
      handshake.drain()
      const { report } = handshake
      return report && stepError(this.#plan, this.#actions, report, this.#life!.pid)
    } catch (error) {
      return error
    }
  }

  /** No wait has brought anything of a traced child lately: a stop that it is in all the same went to another waiter. */
  #onQuiet(life: ChildLife): void {
    const isInTraceStop = () => privateCallsOf(this.#system)?.isInTraceStop(life.pid) === true
    if (this.#stage === 'preparing' || !isInTraceStop()) return
    // It may have stopped since that wait, and been killed since that stop.
    if (life.watched.poll() || !isInTraceStop()) return
    const hint = 'another waiter of this process has taken its stop'
    this.#execed.reject(new SystemError({ errno: 'ECHILD', syscall: 'waitpid', pid: life.pid, hint }))
  }

  /** Sees every change of the child until the launch is over; true for those that are only the launch's business. */
  #onChange(life: ChildLife, handshake: Handshake, { status }: WaitResult): boolean {
    if (isExit(status)) {
      if (this.#stage !== 'execed') this.#onEnd(handshake, new ChildDiedError(life.pid, status))
      return false
    }
    if (status.kind !== 'stopped') return true
    try {
      if (status.event === 'exec') {
        if (!this.#plan.exitKill) this.#system.ptraceSetOptions(life.pid, this.#options)
        life.launcher = undefined
        this.#stage = 'execed'
        this.#execed.resolve()
        return false
      }
      if (this.#stage === 'starting' && this.#plan.trace === 'traceme') {
        this.#system.ptraceSetOptions(life.pid, optionsBeforeExec)
        this.#stage = 'bound'
      }
      // Its own SIGSTOP has done its work; whatever else comes before the exec is the program's to get.
      const signal = status.signal === 'SIGSTOP' || status.event !== undefined ? undefined : status.signal
      this.#system.ptraceCont(life.pid, signal)
      if (this.#bound === undefined) return true
      // The byte came before the stop: it is read while the child goes on.
      if (!handshake.notified) handshake.drain()
      if (handshake.notified) this.#bound.resolve()
    } catch (error) {
      // Killed at this very stop: its end is there, or on its way, or another waiter's.
      if (isErrno(error, 'ESRCH')) life.watched.poll()
      else this.#execed.reject(error)
    }
    return true
  }
}
