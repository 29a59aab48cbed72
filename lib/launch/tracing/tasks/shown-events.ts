/** The events that are shown only if a loop has asked for them, on this process or one that it is followed from. */

import { constants } from '../../../system/constants.ts'

const { PTRACE_O_TRACEEXIT, PTRACE_O_TRACESECCOMP, PTRACE_O_TRACEVFORKDONE } = constants

/** An event that is shown only if a loop has asked for it. */
export type ShownEvent = keyof typeof optionOfEvent

export const optionOfEvent = {
  'vfork-done': PTRACE_O_TRACEVFORKDONE,
  exit: PTRACE_O_TRACEEXIT,
  seccomp: PTRACE_O_TRACESECCOMP,
} as const

export class ShownEvents {
  readonly #parent: ShownEvents | undefined
  // How many loops have asked for each.
  readonly #loops = new Map<ShownEvent, number>()

  constructor(parent: ShownEvents | undefined) {
    this.#parent = parent
  }

  add(events: readonly ShownEvent[]): void {
    for (const event of events) this.#loops.set(event, (this.#loops.get(event) ?? 0) + 1)
  }

  remove(events: readonly ShownEvent[]): void {
    for (const event of events) this.#loops.set(event, (this.#loops.get(event) ?? 1) - 1)
  }

  has(event: ShownEvent): boolean {
    if ((this.#loops.get(event) ?? 0) > 0) return true
    return this.#parent === undefined ? false : this.#parent.has(event)
  }
}
