/** Holds what is shown of a tracee, and of all that is followed from it, to the order that is promised. */

import type { TracedThread } from '../../../lib/launch/handles/traced-thread.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import type { StopStatus } from '../../../lib/system/wait-status.ts'

type Shown = StopStatus<TracedThread | Tracee>

/** Throws, from a listener, at the first thing that is shown wrongly. */
export class Witness {
  /** The tracee, and all that was followed. */
  readonly tracees: Tracee[] = []
  /** Whether no loop is left to pass stops on. A child that is found after it, unannounced, is run by itself. */
  isLoopOver = false
  readonly #announced = new Set<object>()
  readonly #born = new Set<TracedThread>()
  readonly #ended = new Set<TracedThread>()

  constructor(tracee: Tracee) {
    this.#born.add(tracee.mainThread)
    this.#listenToProcess(tracee)
  }

  #listenToProcess(tracee: Tracee): void {
    this.tracees.push(tracee)
    this.#listen(tracee.mainThread)
    tracee.on('follow', child => this.#listenToProcess(child))
    void this.#runUnlessLooped(tracee)
  }

  async #runUnlessLooped(tracee: Tracee): Promise<void> {
    // A loop that is over has ended by then.
    for (let i = 0; i < 20; i++) await undefined
    if (this.isLoopOver) await tracee.run().catch(() => {})
  }

  #listen(thread: TracedThread): void {
    thread.on('stop', stop => this.#shown(thread, stop))
    thread.on('end', reason => {
      if (this.#ended.has(thread)) throw new Error(`${thread.tid} ends twice`)
      // A main thread that has ended goes on where another one execs in its place.
      if (thread !== thread.process.mainThread || reason !== 'exit') this.#ended.add(thread)
    })
  }

  #shown(thread: TracedThread, stop: Shown): void {
    if (thread.stop !== stop) throw new Error(`${thread.tid} is not at the stop that is shown`)
    if (this.#ended.has(thread)) throw new Error(`${thread.tid} stops after its end`)
    if ((stop.reason === 'birth') === this.#born.has(thread)) {
      throw new Error(`${thread.tid} is born twice, or stops before its birth`)
    }
    this.#born.add(thread)
    const { child } = stop
    if (child === undefined) return
    if (this.#announced.has(child)) throw new Error(`${thread.tid} announces a child twice`)
    this.#announced.add(child)
    if (!(child instanceof Tracee)) this.#listen(child)
  }
}
