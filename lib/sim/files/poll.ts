/** poll(2): several files at once. */

import { constants } from '../../system/constants.ts'
import { blocked, restartUnlessHandled } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import type { OpenFile, PollTable } from './open-file.ts'
import { type Caller, Wait, type WaitReason } from './wait.ts'
import type { WaitQueue } from './wait-queue.ts'

const { POLLERR, POLLHUP, POLLNVAL } = constants

/** A file asked about; undefined for a number that names none. */
interface Polled {
  readonly fd: number
  readonly file: OpenFile | undefined
  readonly events: number
}

/** What there is now: revents, one for each. */
function look(polled: readonly Polled[], table: PollTable | null): number[] {
  return polled.map(({ fd, file, events }) => {
    if (fd < 0) return 0
    if (file === undefined) return POLLNVAL
    file.kernel.trace.used?.(file)
    return file.poll(table) & (events | POLLERR | POLLHUP)
  })
}

/** The answer, by which the caller acquires what made each file ready. */
function told({ kernel }: Caller, polled: readonly Polled[], revents: number[]): number[] {
  const { toldReady } = kernel.trace
  if (toldReady !== null) {
    for (const [index, { file }] of polled.entries()) if (file !== undefined) toldReady(file, revents[index]!)
  }
  return revents
}

/** poll(2): revents, or blocked until something happens or the deadline comes. */
export function pollFiles(task: Caller, polled: readonly Polled[], deadline: number | undefined): number[] | number {
  const revents = look(polled, null)
  const over = deadline !== undefined && deadline <= task.kernel.clock.now()
  if (over || revents.some(events => events !== 0)) return told(task, polled, revents)
  return task.block(new PollWait(task, polled, deadline))
}

/** A caller of poll with nothing ready. */
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
    look(this.#polled, this)
  }

  watch(queue: WaitQueue): void {
    queue.watch(this)
    this.#queues.push(queue)
  }

  /** Linux wakes a poll only for what it asked about. */
  override wake(events: number): boolean {
    const wanted = events === 0 || this.#polled.some(polled => (polled.events | POLLERR | POLLHUP) & events)
    return wanted && super.wake(events)
  }

  attempt(): number[] | number {
    const revents = look(this.#polled, null)
    if (!this.timedOut && revents.every(events => events === 0)) return blocked
    this.leave()
    return told(this.task, this.#polled, revents)
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
