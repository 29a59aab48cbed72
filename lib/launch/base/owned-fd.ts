/**
 * A descriptor with one owner, closed exactly once.
 *
 * A forgotten descriptor is closed with a warning when its owner is collected, or silently when its worker ends.
 */

import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { Descriptors } from '../../system/system.ts'

interface Held {
  readonly system: Descriptors
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
    // Other code has closed it. An error thrown here would end the process.
  }
})

/** False if other code has closed the descriptor, or if its simulated world has ended. */
function isOpen(system: Descriptors, fd: number): boolean {
  try {
    system.fcntl(fd, constants.F_GETFD)
    return true
  } catch {
    return false
  }
}

/** Makes descriptors for OwnedFds. A worker terminated before they have an owner would otherwise leak them. */
export function toBeOwned<T>(system: Descriptors, make: () => T): T {
  const ownership = privateCallsOf(system)?.ownership
  return ownership === undefined ? make() : ownership.during(make)
}

/**
 * close(2), except that EINTR is not a failure: Linux has already freed the number, and a second close would hit the
 * next file with that number.
 */
export function closeOnce(system: Descriptors, fd: number): void {
  try {
    system.close(fd)
  } catch (error) {
    if (!isErrno(error, 'EINTR')) throw error
  }
}

export class OwnedFd implements Disposable {
  readonly #system: Descriptors
  readonly #isWatched: boolean
  #fd: number

  /**
   * Takes ownership of `fd`; `what` names it in the warning.
   *
   * Without `what` the owner's collection is not watched, since watching costs more than a close. Leave it out only
   * where the owner always closes.
   */
  constructor(system: Descriptors, fd: number, what?: string) {
    this.#system = system
    this.#fd = fd
    this.#isWatched = what !== undefined && fd >= 0
    privateCallsOf(system)?.ownership?.add(fd)
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
    // Cleared before the call: whatever close returns, Linux has freed the number for the next descriptor.
    this.#fd = -1
    if (this.#isWatched) forgotten.unregister(this)
    closeOnce(this.#system, fd)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
