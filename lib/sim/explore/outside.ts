/** Whether a scenario that nothing in its world can move waits for something outside: a timer, a file, the network. */

import { turn } from './turn.ts'

/** Turns that are waited for before a scenario is taken to wait for nothing. */
const turns = 20
/** And the time after that, for timers that keep nothing alive, of which nobody can tell. */
const timerMs = 50

interface ProcessLike {
  getActiveResourcesInfo?(): string[]
}

// Taken here, so that a scenario that replaces its timers does not stop us.
const { setTimeout } = globalThis
const { process } = globalThis as { process?: ProcessLike }

/** Kinds that the JavaScript process has of itself, or that come and go with {@link turn}. */
const own: ReadonlySet<string> = new Set(['Immediate', 'TTYWrap', 'PipeWrap', 'MessagePort'])

function activeResources(): readonly string[] {
  return process?.getActiveResourcesInfo?.() ?? []
}

/** Tells a scenario that waits for the outside from one that waits for nothing. */
export class Outside {
  #before: readonly string[] = []
  /** What the scenario began before its first await: told exactly, since nothing else could begin or end meanwhile. */
  #begun: ReadonlySet<string> = new Set()

  /** A run begins. */
  begin(): void {
    this.#before = activeResources()
  }

  /** The scenario was called. */
  called(): void {
    this.#begun = this.#added()
  }

  /**
   * What the scenario waits for; null when for nothing. `woken` says that it has gone on although nobody in its world has moved.
   *
   * Time is given to it only if it is `patient`: the runs that follow a deadlock that was found need not doubt it.
   */
  async wait(patient: boolean, woken: () => boolean): Promise<string | null> {
    const active = activeResources()
    const added = [...new Set([...this.#added(), ...[...this.#begun].filter(kind => active.includes(kind))])]
    for (let i = 0; i < turns && !woken(); i++) await turn()
    if (!woken() && added.length === 0 && patient) {
      await new Promise<void>(resolve => {
        setTimeout(resolve, timerMs)
      })
    }
    if (!woken() && added.length === 0) return null
    const what = added.length === 0 ? '' : ` (${added.join(', ')})`
    return `the scenario awaits something outside its System${what}: its world stands still meanwhile, and when it goes on is no choice of the schedule`
  }

  /** Kinds of resources of which there are more than when the run began. */
  #added(): Set<string> {
    const left = [...this.#before]
    const added = new Set<string>()
    for (const kind of activeResources()) {
      const index = left.indexOf(kind)
      if (index >= 0) left.splice(index, 1)
      else if (!own.has(kind)) added.add(kind)
    }
    return added
  }
}
