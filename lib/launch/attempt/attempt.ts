/**
 * One launch: the parent's side of the order that leaves no orphan. The child's side is in child-actions.ts.
 *
 * The child notifies once it is ready, by a byte or by its stop alone. PTRACE_O_EXITKILL binds the child to its tracer
 * before the child is resumed. The child waits at the gate while beforeExec runs, and only then execs.
 */

import { CheckedProgram } from '../../system/check-child-program.ts'
import type { ChildAction } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { ChildDiedError, isErrno, nameStep } from '../../system/errors.ts'
import { seizeAwaited } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import { isExit } from '../../system/wait-status.ts'
import { orAborted } from '../base/deadline.ts'
import { Deferred } from '../base/deferred.ts'
import { undoEveryStep } from '../base/every-step.ts'
import type { Channel } from '../channel/channel.ts'
import { hasExeced, openGate } from '../channel/gate.ts'
import { Handshake } from '../channel/handshake.ts'
import { ChildLife } from '../children/child-life.ts'
import { watchChildren } from '../children/child-watch.ts'
import { Foreground } from '../children/foreground.ts'
import type { Change } from '../children/watched-child.ts'
import { type Child, newChild } from '../handles/child.ts'
import { newTracee, type Tracee } from '../handles/tracee.ts'
import { type IdMaps, writeIdMaps } from '../options/id-maps.ts'
import type { LaunchPlan } from '../options/plan.ts'
import { optionsFor } from '../tracing/tasks/options.ts'
import { dropReport, reportedError } from './failure-report.ts'
import { LaunchDescriptors } from './launch-descriptors.ts'
import { forkInNamespaces } from './namespaces.ts'

/**
 * How far the child has come:
 *
 * - 'starting': forked, or about to be.
 * - 'bound': traced, and killed with its tracer; resumed towards its exec, or the gate before that.
 * - 'preparing': waits at the gate while beforeExec runs, which may do anything to it.
 * - 'released': untraced, on its way to its exec; nothing holds it.
 * - 'execed': at its exec event, or running the program.
 * - 'ended': ended before its exec; reaped, here or by another waiter.
 */
type Stage = 'starting' | 'bound' | 'preparing' | 'released' | 'execed' | 'ended'

export class Attempt {
  readonly #plan: LaunchPlan
  readonly #system: System
  // The PTRACE_O_* bits until the exec.
  readonly #options: number
  #stage: Stage = 'starting'
  // Resolves at the exec event; rejects when the child ends before it.
  readonly #execed = new Deferred()
  // Resolves once the child is bound and has sent its notify byte. Set only where a gate comes next.
  readonly #bound: Deferred | undefined
  readonly #descriptors: LaunchDescriptors
  #child: Child | undefined
  #life: ChildLife | undefined
  #handshake: Handshake | undefined
  #actions: readonly ChildAction[] = []

  constructor(plan: LaunchPlan) {
    this.#plan = plan
    this.#system = plan.system
    this.#descriptors = new LaunchDescriptors(plan)
    this.#bound = plan.hasGate && plan.trace === 'traceme' ? new Deferred() : undefined
    // Before its exec every child dies with its tracer, whatever `exitKill` asks for afterwards.
    this.#options = optionsFor(plan.follow, true)
  }

  /** Forks the child and watches it. undo() can release whatever is open, whichever step fails. */
  start(): Child | Tracee {
    const system = this.#system
    const descriptors = this.#descriptors
    const { trace, hasGate, memory, follow, exitKill, idMaps, namespaces, foregroundGroup } = this.#plan
    descriptors.open()
    this.#actions = descriptors.childActions()

    watchChildren(system)
    const { channel, readiness } = descriptors
    const report = channel?.writeFd ?? -1
    const keepsReport = channel === undefined
    const pid = forkInNamespaces(system, new CheckedProgram(this.#actions, report, memory, namespaces, keepsReport))
    if (channel !== undefined) this.#handshake = new Handshake(system, channel)
    const life = new ChildLife(system, pid, descriptors.streams)
    life.readiness = readiness
    // Where there is a channel, the notify byte is read at that stop.
    if (channel === undefined) life.watched.ownStopOptions = this.#options
    const child =
      trace === false ? newChild(life) : newTracee({ life, tracing: trace, follow, exitKill, kind: 'launched' })
    life.launcher = {
      changed: result => this.#onChange(life, result),
      lost: error => this.#onEnd(error),
      quiet: trace === false ? undefined : () => this.#onQuiet(life),
    }
    if (foregroundGroup !== undefined) {
      life.foreground = new Foreground(system, pid, foregroundGroup || pid)
    }
    this.#life = life
    this.#child = child
    if (trace === false && !hasGate) this.#release(life)
    descriptors.closeChildEnds()
    if (idMaps !== undefined) this.#mapIds(idMaps, life, this.#handshake!)
    return child
  }

  /** Resolves once the child has exec'ed; rejects when it ends before that, or when the launch is aborted. */
  untilExec(child: Child, signal: AbortSignal | undefined): Promise<void> {
    const { trace, hasGate } = this.#plan
    // Without a gate, #onChange alone drives the child to its exec.
    if (trace === 'traceme' && !hasGate) return orAborted(this.#execed.promise, signal)
    return this.#throughGate(child, this.#life!, this.#handshake!, signal)
  }

  /** Takes changes and bytes of the child that the event loop has not yet delivered; whether there were any. */
  look(): boolean {
    const changed = this.#life?.watched.poll() ?? false
    return (this.#handshake?.look() ?? false) || changed
  }

  /** Ends a launch that succeeded: the child now belongs to the caller. */
  finish(): void {
    const life = this.#life
    if (life === undefined) return
    this.#descriptors.finish(life.pid)
    const { foregroundGroup, trace } = this.#plan
    if (foregroundGroup !== undefined && trace === false) life.watched.alsoWaitFor(constants.WUNTRACED)
    life.isLaunched = true
    life.handOver()
  }

  /**
   * Undoes the launch: kills and reaps the child, closes every descriptor. A step that fails does not stop the rest.
   */
  async undo(): Promise<void> {
    const life = this.#life
    if (life !== undefined) life.launcher = undefined
    undoEveryStep([() => life?.watched.release(), () => this.#descriptors.undo()])
    await this.#child?.[Symbol.asyncDispose]().catch(() => {})
    if (life !== undefined && this.#handshake === undefined) dropReport(this.#system, life.pid)
    life?.handOver()
  }

  /** Waits for the child at the gate, runs beforeExec, opens the gate and waits for the exec. */
  async #throughGate(
    child: Child,
    life: ChildLife,
    handshake: Handshake,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { trace, beforeExec, hasGate } = this.#plan
    if (this.#bound !== undefined) {
      // The child stops after it writes the byte, so the stop implies the byte: one wake-up in place of two.
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
    if (hasGate && !this.#open(this.#descriptors.gate!, life)) await this.#failed(life, signal)
    if (trace === false) await this.#untilReplaced(life, handshake, signal)
    else await orAborted(this.#execed.promise, signal)
  }

  /**
   * Writes the id maps, for which the child waits. The error is dropped if the child has ended, since its end says why.
   * A zombie's files, for one, are refused with EACCES.
   */
  #mapIds(idMaps: IdMaps, life: ChildLife, handshake: Handshake): void {
    try {
      writeIdMaps(this.#system, life.pid, idMaps)
      this.#descriptors.gate?.notify()
    } catch (error) {
      // The child's end of the gate is closed: its exit is about to be reported.
      if (isErrno(error, 'EPIPE')) return
      handshake.drain()
      life.watched.release()
      life.watched.poll()
      if (handshake.report === undefined && this.#stage !== 'ended') throw error
    }
  }

  #goOn(from: Stage, to: Stage): void {
    if (this.#stage === from) this.#stage = to
  }

  /**
   * Seizes the child. False if it has ended: its end says more than the refusal, which is EPERM for an unreaped zombie.
   */
  #seize(life: ChildLife): boolean {
    try {
      seizeAwaited(this.#system, life.pid, this.#options)
      this.#goOn('starting', 'bound')
      return true
    } catch (error) {
      life.watched.poll()
      if (this.#stage === 'ended') return false
      nameStep(error, 'seize')
      throw error
    }
  }

  #open(gate: Channel, life: ChildLife): boolean {
    // Before the byte: the child may exec and end before notify() returns.
    if (this.#plan.trace === false) this.#release(life)
    else this.#goOn('preparing', 'bound')
    return openGate(gate)
  }

  /**
   * Marks an untraced child as released, and stops reaping it. The handshake's end of file follows either its exec or
   * its end. Only the kernel knows which, and only before a reap.
   */
  #release(life: ChildLife): void {
    this.#goOn('starting', 'released')
    this.#goOn('preparing', 'released')
    life.watched.hold()
  }

  /** Waits for the exec of an untraced child, which its end of file signals. */
  async #untilReplaced(life: ChildLife, handshake: Handshake, signal: AbortSignal | undefined): Promise<void> {
    await handshake.awaitEnd({ signal })
    const isReplaced = handshake.report === undefined && hasExeced(this.#system, life.pid, this.#descriptors.gate)
    if (!isReplaced || this.#stage !== 'released') return this.#failed(life, signal)
    this.#stage = 'execed'
    life.watched.release()
  }

  /** Settles as `promise` does, unless the child ends or the launch is aborted first. */
  #orEnd(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const end = this.#execed.promise.then(() => promise)
    return orAborted(Promise.race([promise, end]), signal)
  }

  /** Waits for the end of a child that has failed, then throws the cause. */
  async #failed(life: ChildLife, signal: AbortSignal | undefined): Promise<never> {
    life.watched.release()
    // The end may be pending already, or taken by another waiter. Neither raises another SIGCHLD.
    life.watched.poll()
    await orAborted(this.#execed.promise, signal)
    // The child has exec'ed after all: other code has opened its gate or resumed it.
    throw new ChildDiedError(life.pid, await orAborted(life.exited, signal))
  }

  /** The child has ended before its exec. Rejects with its failure record if there is one, else with `cause`. */
  #onEnd(cause: Error): void {
    if (this.#stage === 'execed') return
    this.#stage = 'ended'
    this.#execed.reject(reportedError(this.#plan, this.#actions, this.#life!.pid, this.#handshake) ?? cause)
  }

  /** A SIGCHLD came without a change of the child: another waiter may have taken its stop, as beforeExec itself may. */
  #onQuiet(life: ChildLife): void {
    const lost = this.#stage === 'preparing' ? undefined : life.watched.lostStop()
    if (lost !== undefined) this.#execed.reject(lost)
  }

  /** Receives every change until the launch is over; true for a change that concerns only the launch. */
  #onChange(life: ChildLife, { status }: Change): boolean {
    if (isExit(status)) {
      if (this.#stage !== 'execed') this.#onEnd(new ChildDiedError(life.pid, status))
      return false
    }
    if (status.kind !== 'stopped') return true
    try {
      if (status.event === 'exec') {
        const { exitKill, follow, beforeExec } = this.#plan
        if (!exitKill) this.#system.ptraceSetOptions(life.pid, optionsFor(follow, false))
        life.launcher = undefined
        life.watched.ownStopOptions = 0
        this.#stage = 'execed'
        this.#execed.resolve()
        if (beforeExec !== undefined) return false
        life.tracer?.launched(status)
        return true
      }
      if (this.#stage === 'starting' && this.#plan.trace === 'traceme') {
        this.#system.ptraceSetOptions(life.pid, this.#options)
        this.#stage = 'bound'
      }
      // The child's own SIGSTOP is done and is dropped. Any other signal before the exec is delivered.
      const signal = status.signal === 'SIGSTOP' || status.event !== undefined ? undefined : status.signal
      this.#system.ptraceCont(life.pid, signal)
      const handshake = this.#handshake
      if (this.#bound === undefined || handshake === undefined) return true
      // The byte precedes the stop: it is read after the child is resumed, while the child runs.
      if (!handshake.notified) handshake.drain()
      if (handshake.notified) this.#bound.resolve()
    } catch (error) {
      // Killed at this stop: its end is pending, about to come, or taken by another waiter.
      if (isErrno(error, 'ESRCH')) life.watched.poll()
      else this.#execed.reject(error)
    }
    return true
  }
}
