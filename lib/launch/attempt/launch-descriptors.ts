/** The parent's descriptors of one launch: its pipes, and those of the child's stdio. */

import type { ChildAction } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import type { System } from '../../system/system.ts'
import { takeEveryStep, undoEveryStep } from '../base/every-step.ts'
import type { OwnedFd } from '../base/owned-fd.ts'
import { type Channel, channelOfLaunch } from '../channel/channel.ts'
import type { LaunchPlan } from '../options/plan.ts'
import { ServiceReadiness } from '../readiness/service-readiness.ts'
import { type ChildStreams, requireTerminal, Stdio } from '../stdio/stdio.ts'
import { childActions } from './child-actions.ts'
import { openParentWatch } from './parent-watch.ts'

const { O_NONBLOCK } = constants

type Closing = (of: LaunchDescriptors) => void

export class LaunchDescriptors {
  readonly #system: System
  #plan: LaunchPlan
  #readiness: ServiceReadiness | undefined
  #stdio: Stdio | undefined
  #channel: Channel | undefined
  #gate: Channel | undefined
  #parentWatch: OwnedFd | undefined

  // Made once: each launch would pay for its own.
  static readonly #closingChildEnds: readonly Closing[] = [
    of => of.#stdio?.closeChildEnds(),
    of => of.#readiness?.closeChildEnd(),
    of => of.#channel?.closeWrite(),
    of => of.#gate?.closeRead(),
    of => of.#parentWatch?.close(),
  ]
  static readonly #closingOwn: readonly Closing[] = [
    of => of.#channel?.close(),
    of => of.#gate?.close(),
    of => of.#stdio?.closeGiven(),
  ]
  static readonly #undoing: readonly Closing[] = [
    of => of.#channel?.close(),
    of => of.#gate?.close(),
    of => of.#parentWatch?.close(),
    of => of.#stdio?.destroy(),
    of => of.#readiness?.close(),
  ]

  constructor(plan: LaunchPlan) {
    this.#system = plan.system
    this.#plan = plan
  }

  /** Opens the descriptors. After a failure, undo() closes those that are open. */
  open(): void {
    const system = this.#system
    const { controllingTerminal, ready, hasGate, hasChannel, idMaps, namespaces } = this.#plan
    requireTerminal(system, controllingTerminal)
    // Each is stored for undo() before the next is opened.
    if (ready !== undefined) {
      this.#readiness = new ServiceReadiness(system, ready)
      this.#plan = this.#readiness.extend(this.#plan)
    }
    const { stdio } = this.#plan
    this.#stdio = Stdio.open(system, stdio)
    if (hasChannel) this.#channel = this.#openChannel(O_NONBLOCK)
    if (hasGate || idMaps !== undefined) this.#gate = this.#openChannel()
    if (namespaces.includes('pid')) this.#parentWatch = openParentWatch(system, stdio.length)
  }

  /** Receives the program's notification that it is ready; undefined without the option `ready`. */
  get readiness(): ServiceReadiness | undefined {
    return this.#readiness
  }

  /** A stream for each of the child's descriptors that is a pipe, else null. */
  get streams(): ChildStreams {
    return this.#stdio!.streams
  }

  /** The child notifies and reports on this one. */
  get channel(): Channel | undefined {
    return this.#channel
  }

  /** The child waits on this one: for its id maps, at its gate. */
  get gate(): Channel | undefined {
    return this.#gate
  }

  /** What the child does with these descriptors, and with the plan. */
  childActions(): ChildAction[] {
    const ready = this.#channel?.writeFd
    const isInPidNamespace = this.#plan.namespaces.includes('pid')
    const parent = isInPidNamespace ? (this.#parentWatch?.fd ?? ready) : undefined
    return childActions(this.#plan, this.#stdio!, { ready, gate: this.#gate?.readFd, parent })
  }

  /** Closes the child's ends, once it has them. */
  closeChildEnds(): void {
    takeEveryStep(LaunchDescriptors.#closingChildEnds, this)
  }

  /** After a launch that succeeded: closes the launch's own descriptors, and listens for the program's readiness. */
  finish(pid: number): void {
    takeEveryStep(LaunchDescriptors.#closingOwn, this)
    this.#readiness?.listen(pid)
  }

  /** Closes everything after a failed launch. A step that fails does not stop the rest. */
  undo(): void {
    undoEveryStep(LaunchDescriptors.#undoing, this)
  }

  #openChannel(flags?: number): Channel {
    const { read, write } = this.#stdio!.pipeAbove(this.#system, flags)
    return channelOfLaunch(this.#system, read, write)
  }
}
