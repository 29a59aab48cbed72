/**
 * The descriptors of a worker thread. The addon closes what is left of them when the worker ends: a thread that is terminated runs no
 * JavaScript any more, and the process would keep them.
 */

import type { DescriptorOwnership } from '../system/private-calls.ts'
import type { Addon } from './addon.ts'

/** As many descriptors as most processes may have; more make room for themselves. */
const usualDescriptors = 65_536

export class ThreadOwnership implements DescriptorOwnership {
  readonly #addon: Addon
  // Memory that both sides see (src/environment.h): whether what is made now is owned, then a byte for each descriptor.
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
