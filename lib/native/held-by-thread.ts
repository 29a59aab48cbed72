/** The descriptors that a worker is to close: a thread that is terminated runs no more JavaScript, and the process would keep them. */

import type { Addon } from './addon.ts'

/** Notes for the addon, which closes what is left of them at the thread's end, whether somebody is still to close a descriptor. */
export function heldByThread(addon: Addon): (fd: number, isHeld: boolean) => void {
  // Memory that both sides see: a mark costs no call. One byte for each number that a descriptor may have.
  let marks = new Uint8Array(1024)
  addon.closeAtEnd(marks)
  return (fd, isHeld) => {
    if (fd < 0) return
    if (fd >= marks.length) {
      const more = new Uint8Array(2 * (fd + 1))
      more.set(marks)
      addon.closeAtEnd(more)
      marks = more
    }
    marks[fd] = isHeld ? 1 : 0
  }
}
