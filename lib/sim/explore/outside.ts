/** Detects a scenario that waits for something outside its world: a timer, a file, the network. */

import { turn } from './turn.ts'

/** Turns of the event loop to wait before a scenario is taken to be deadlocked. */
const turns = 20
/** Further time to wait, for unref'd timers, which getActiveResourcesInfo() does not list. */
const timerMs = 50

interface ProcessLike {
  getActiveResourcesInfo?(): string[]
}

// Saved at load, so that a scenario that replaces the global timers does not stop the exploration.
const { setTimeout } = globalThis
const { process } = globalThis as { process?: ProcessLike }

/** Resources that every JavaScript process has, or that {@link turn} makes. */
const own: ReadonlySet<string> = new Set(['Immediate', 'TTYWrap', 'PipeWrap', 'MessagePort'])

function activeResources(): readonly string[] {
  return process?.getActiveResourcesInfo?.() ?? []
}

/** Distinguishes a scenario that waits for the outside from a deadlocked one. */
export class Outside {
  #before: readonly string[] = []
  /** Resources the scenario made before its first await. They are exact: no other code ran meanwhile. */
  #begun: ReadonlySet<string> = new Set()
  #isGuess = false

  /**
   * Whether {@link wait} blamed a resource made during the run, which may be other code's: another test's timer, say.
   * In a repetition of the run such a resource is there before; one of the scenario's own is made again.
   */
  get isGuess(): boolean {
    return this.#isGuess
  }

  /** Called at the beginning of a run. */
  begin(): void {
    this.#isGuess = false
    this.#before = activeResources()
  }

  /** Called right after the call of the scenario. */
  called(): void {
    this.#begun = this.#added()
  }

  /**
   * Describes what the scenario waits for outside; null for a deadlock. `woken` returns true once the scenario has gone
   * on although nothing in its world moved.
   *
   * Only a `patient` call waits the further time. Runs that repeat a known deadlock do not have to.
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
    const hasWoken = woken()
    if (!hasWoken && added.length === 0) return null
    this.#isGuess = !hasWoken
    const what = added.length === 0 ? '' : ` (${added.join(', ')})`
    return (
      'nothing in the simulated system can go on, and the scenario waits for something outside it' +
      `${what}: no schedule decides when that happens`
    )
  }

  /** Kinds of resources that there are more of than at the beginning of the run. */
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
