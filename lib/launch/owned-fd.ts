/** A descriptor with one owner: closed exactly once, or on collection, with a warning, when its owner forgot it; at the latest when a worker ends. */

import { constants } from '../system/constants.ts'
import type { System } from '../system/system.ts'

interface Held {
  readonly system: System
  readonly fd: number
  readonly what: string
}

const forgotten = new FinalizationRegistry<Held>(({ system, fd, what }) => {
  if (!isOpen(system, fd)) return
  process.emitWarning(`descriptor ${fd} (${what}) was collected without being closed; closing it now`, {
    type: 'TracegateWarning',
    code: 'TRACEGATE_FD_FORGOTTEN',
  })
  try {
    system.close(fd)
  } catch {
    // Closed behind its owner's back. Thrown here it would end the process.
  }
})

/** Not where somebody else has closed it, or where the simulated world it was of is over. */
function isOpen(system: System, fd: number): boolean {
  try {
    system.fcntl(fd, constants.F_GETFD)
    return true
  } catch {
    return false
  }
}

/** Makes descriptors that OwnedFds are to have: terminated in between, a worker would leave them open. */
export function toBeOwned<T>(system: System, make: () => T): T {
  return system.ownership === undefined ? make() : system.ownership.during(make)
}

export class OwnedFd implements Disposable {
  readonly #system: System
  readonly #isWatched: boolean
  #fd: number

  /** Takes ownership of `fd`; `what` names it in the warning. Without, collection is not watched, which takes longer than a close: its owner closes it whatever happens. */
  constructor(system: System, fd: number, what?: string) {
    this.#system = system
    this.#fd = fd
    this.#isWatched = what !== undefined && fd >= 0
    system.ownership?.add(fd)
    if (this.#isWatched) forgotten.register(this, { system, fd, what: what! }, this)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#fd
  }

  /** Closes it; does nothing the second time. */
  close(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    // Forgotten before the call: whatever close says, Linux has freed the number, and it may soon be somebody else's.
    this.#fd = -1
    if (this.#isWatched) forgotten.unregister(this)
    this.#system.close(fd)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
