/** File descriptors: a process's numbers for its open files. A new one is the lowest free number. */

import { EBADF, EMFILE } from '../base/results.ts'
import { youngArray } from '../base/young-array.ts'
import type { Close, OpenFile } from './open-file.ts'

/** The descriptors of one process, shared by its threads. */
export class DescriptorTable {
  /** RLIMIT_NOFILE: one more than the highest number a new descriptor may have. */
  limit: number
  /** Called when a descriptor is closed or replaced. */
  onRemove: ((fd: number) => void) | null = null
  #files = youngArray<OpenFile | undefined>()
  /** Up to the highest one that ever was close-on-exec. */
  #closeOnExec = youngArray<boolean>()
  /** No number below this is free. */
  #lowestFree = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get(fd: number): OpenFile | undefined {
    return this.#files[fd]
  }

  /** The lowest free number from `from` on; -EMFILE if that reaches the limit. */
  lowestFree(from = 0): number {
    let fd = Math.max(from, this.#lowestFree)
    while (fd < this.#files.length && this.#files[fd] !== undefined) fd++
    return fd < this.limit ? fd : -EMFILE
  }

  /** Whether two more descriptors, those of a pair, fit below the limit. */
  hasRoomForTwo(): boolean {
    const first = this.lowestFree()
    return first >= 0 && this.lowestFree(first + 1) >= 0
  }

  /** Adds the file under the lowest free number from `from` on; -EMFILE, and no reference taken, if there is none. */
  add(file: OpenFile, closeOnExec: boolean, from = 0): number {
    const fd = this.lowestFree(from)
    if (fd >= 0) this.#put(fd, file, closeOnExec)
    return fd
  }

  /** dup2(2): makes `fd`, which is below the limit, refer to this file, and closes its former file. */
  replace(fd: number, file: OpenFile, closeOnExec: boolean): void {
    const before = this.#files[fd]
    file.retain()
    if (before !== undefined) this.remove(fd, 'replace')
    this.#put(fd, file, closeOnExec)
    file.release()
  }

  /** close(2). */
  remove(fd: number, how: Close['how'] = 'close'): number {
    const file = this.#take(fd, how)
    if (file === undefined) return -EBADF
    file.release()
    return 0
  }

  /** Closes several by one call. As on Linux, files without other holders finish at the end of it, the last first. */
  removeAll(fds: Iterable<number>, how: Close['how'] = 'close'): void {
    const finished: OpenFile[] = []
    for (const fd of fds) {
      const file = this.#take(fd, how)
      if (file?.drop()) finished.push(file)
    }
    for (let i = finished.length - 1; i >= 0; i--) finished[i]!.finish()
  }

  closesOnExec(fd: number): boolean {
    return this.#closeOnExec[fd] === true
  }

  setCloseOnExec(fd: number, value: boolean): void {
    const flags = this.#closeOnExec
    if (value) while (flags.length <= fd) flags.push(false)
    if (fd < flags.length) flags[fd] = value
  }

  /** Every descriptor and its file, lowest first. */
  *entries(): IterableIterator<[fd: number, file: OpenFile]> {
    for (let fd = 0; fd < this.#files.length; fd++) {
      const file = this.#files[fd]
      if (file !== undefined) yield [fd, file]
    }
  }

  /** Every descriptor, lowest first. */
  numbers(): number[] {
    const fds: number[] = []
    for (let fd = 0; fd < this.#files.length; fd++) if (this.#files[fd] !== undefined) fds.push(fd)
    return fds
  }

  /** The descriptors that refer to this file, lowest first. */
  numbersOf(file: OpenFile): number[] {
    return this.numbers().filter(fd => this.#files[fd] === file)
  }

  /** A copy for a forked process: the same numbers and flags, and a reference to each file. */
  clone(): DescriptorTable {
    const copy = new DescriptorTable(this.limit)
    copy.#files = this.#files.slice()
    copy.#closeOnExec = this.#closeOnExec.slice()
    copy.#lowestFree = this.#lowestFree
    for (const file of copy.#files) file?.retain()
    return copy
  }

  /** execve(2): closes the close-on-exec descriptors. */
  closeForExec(): void {
    const flags = this.#closeOnExec
    const fds: number[] = []
    for (let fd = 0; fd < flags.length; fd++) if (flags[fd]) fds.push(fd)
    this.removeAll(fds, 'exec')
  }

  /** exit(2): closes every descriptor. */
  closeAll(): void {
    this.removeAll(this.numbers(), 'exit')
  }

  #take(fd: number, how: Close['how']): OpenFile | undefined {
    const file = this.#files[fd]
    if (file === undefined) return undefined
    this.#files[fd] = undefined
    this.setCloseOnExec(fd, false)
    if (fd < this.#lowestFree) this.#lowestFree = fd
    this.onRemove?.(fd)
    file.descriptorClosed(fd, how)
    return file
  }

  #put(fd: number, file: OpenFile, closeOnExec: boolean): void {
    while (this.#files.length < fd) this.#files.push(undefined)
    this.#files[fd] = file.retain()
    if (closeOnExec) this.setCloseOnExec(fd, true)
    if (fd === this.#lowestFree) this.#lowestFree = fd + 1
  }
}
