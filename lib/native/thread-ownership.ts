/**
 * Descriptors owned by a worker thread. The addon closes whatever is left when the worker ends. A terminated thread
 * runs no JavaScript, and the process would leak its descriptors.
 */

import type { DescriptorOwnership } from '../system/private-calls.ts'
import type { Addon } from './addon.ts'

/** The limit of most processes. Higher descriptors enlarge the array. */
const usualDescriptors = 65_536

export class ThreadOwnership implements DescriptorOwnership {
  readonly #addon: Addon
  // Shared with the addon (src/environment.h): whether new descriptors are owned, then a byte for each descriptor.
  #marks = new Uint8Array(1 + usualDescriptors)

  constructor(addon: Addon) {
    this.#addon = addon
    addon.shareOwnership(this.#marks)
  }

  add(fd: number): void {
    if (fd < 0) return
    if (fd + 1 >= this.#marks.length) this.#grow(fd)
    this.#marks[fd + 1] = 1
  }

  during<T>(make: () => T): T {
    this.#marks[0] = 1
    try {
      return make()
    } finally {
      this.#marks[0] = 0
    }
  }

  #grow(fd: number): void {
    const more = new Uint8Array(2 * (fd + 2))
    more.set(this.#marks)
    this.#addon.shareOwnership(more)
    this.#marks = more
  }
}
