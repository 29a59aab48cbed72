/** poll(2): several files at once. */

import { constants } from '../../system/constants.ts'
import { blocked, restartUnlessHandled } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import type { OpenFile, PollTable } from './open-file.ts'
import { type Caller, Wait, type WaitReason } from './wait.ts'
import type { WaitQueue } from './wait-queue.ts'

const { POLLERR, POLLHUP, POLLNVAL } = constants

/** One entry of the call; `file` is undefined for a closed descriptor. */
interface Polled {
  readonly fd: number
  readonly file: OpenFile | undefined
  readonly events: number
}

/** The revents of each entry now. */
function currentRevents(polled: readonly Polled[], table: PollTable | null): number[] {
  return polled.map(({ fd, file, events }) => {
    if (fd < 0) return 0
    if (file === undefined) return POLLNVAL
    file.kernel.trace.used?.(file)
    return file.poll(table) & (events | POLLERR | POLLHUP)
  })
}

/** Traces readiness: the caller acquires the writes that made each file ready. */
function report({ kernel }: Caller, polled: readonly Polled[], revents: number[]): number[] {
  const { readinessSeen } = kernel.trace
  if (readinessSeen !== null) {
    for (const [index, { file }] of polled.entries()) if (file !== undefined) readinessSeen(file, revents[index]!)
  }
  return revents
}

/** poll(2): the revents, or `blocked` until an entry is ready or the deadline passes. */
export function pollFiles(task: Caller, polled: readonly Polled[], deadline: number | undefined): number[] | number {
  const revents = currentRevents(polled, null)
  const over = deadline !== undefined && deadline <= task.kernel.clock.now()
  if (over || revents.some(events => events !== 0)) return report(task, polled, revents)
  return task.block(new PollWait(task, polled, deadline))
}

/** A poll(2) with nothing ready. */
class PollWait extends Wait implements PollTable {
  readonly #polled: readonly Polled[]
  readonly #queues = youngArray<WaitQueue>()

  constructor(task: Caller, polled: readonly Polled[], deadline: number | undefined) {
    super(task, undefined, deadline)
    this.#polled = polled
    this.#enter()
  }

  #enter(): void {
    for (const { file } of this.#polled) file?.retain()
    currentRevents(this.#polled, this)
  }

  watch(queue: WaitQueue): void {
    queue.watch(this)
    this.#queues.push(queue)
  }

  /** As on Linux, only events that some entry asks for wake the call. */
  override wake(events: number): boolean {
    const wanted = events === 0 || this.#polled.some(polled => (polled.events | POLLERR | POLLHUP) & events)
    return wanted && super.wake(events)
  }

  attempt(): number[] | number {
    const revents = currentRevents(this.#polled, null)
    if (!this.timedOut && revents.every(events => events === 0)) return blocked
    this.leave()
    return report(this.task, this.#polled, revents)
  }

  override interrupted(): number {
    this.leave()
    return restartUnlessHandled
  }

  override restart(): () => unknown {
    return () => pollFiles(this.task, this.#polled, this.deadline)
  }

  leave(): void {
    if (this.#queues.length > 0) for (const queue of this.#queues.splice(0)) queue.remove(this)
    for (const { file } of this.#polled) file?.release()
  }

  get reason(): WaitReason {
    const files = this.#polled.flatMap(({ file }) => file ?? [])
    return { on: 'poll', files, deadline: this.deadline }
  }
}
