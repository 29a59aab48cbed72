/** The Channel: one byte is one notification, from one process to another. */

import { openSystem } from '../open-system.ts'
import { checkInt, checkOptions, checkSystem, invalidValue } from '../system/arguments.ts'
import { constants } from '../system/constants.ts'
import { ChannelClosedError, isErrno } from '../system/errors.ts'
import type { System } from '../system/system.ts'
import { openAbove } from './above-standard.ts'
import { checkWaitOptions, Deadline, orAborted, type WaitOptions } from './deadline.ts'
import { isReadable } from './is-readable.ts'
import { OwnedFd, toBeOwned } from './owned-fd.ts'

const { AF_UNIX, O_CLOEXEC, POLLIN, SOCK_CLOEXEC, SOCK_STREAM } = constants

const notification = Uint8Array.of(1)
// What a notification is read into; what it says does not matter.
const received = new Uint8Array(1)

/** How a {@link Channel} is made. */
export interface ChannelOptions {
  /** A one-way pipe (the default), or a socketpair. */
  readonly kind?: 'pipe' | 'socketpair'
  readonly system?: System
}

/**
 * A notification channel between two processes: a pipe (pipe2(2)) or a socketpair(2) whose every byte is one notification.
 *
 * Each side keeps the end it uses and closes the other, so that the end of either process is seen by the other.
 *
 * @example
 * const channel = Channel.open()
 * const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'write', fd: channel.writeFd, data: Uint8Array.of(1) }, …] })
 * channel.closeWrite()
 * await channel.wait({ timeoutMs: 1000 }) // the child is traced now
 * channel.close()
 */
export class Channel implements Disposable {
  readonly #system: System
  readonly #read: OwnedFd | undefined
  readonly #write: OwnedFd | undefined
  // The wait that came last; each new one waits for its turn, so that notifications are handed out in order.
  #lastWait: Promise<unknown> | undefined

  private constructor(system: System, read: OwnedFd | undefined, write: OwnedFd | undefined) {
    this.#system = system
    this.#read = read
    this.#write = write
  }

  /**
   * Opens a channel; both descriptors are close-on-exec, and no standard ones.
   *
   * @throws SystemError EMFILE, ENFILE: no descriptors left.
   */
  static open(options: ChannelOptions = {}): Channel {
    const { kind = 'pipe', system = openSystem() } = checkOptions(options, 'options', ['kind', 'system'])
    if (kind !== 'pipe' && kind !== 'socketpair') {
      throw invalidValue('options.kind', "must be 'pipe' or 'socketpair'", kind)
    }
    const opened = checkSystem(system, 'options.system')
    const [read, write] = toBeOwned(opened, () =>
      openAbove(opened, () =>
        kind === 'pipe' ? opened.pipe2(O_CLOEXEC) : opened.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC),
      ),
    )
    return Channel.fromFds({ read, write }, { system: opened })
  }

  /** A channel over descriptors that exist, which it owns from now on: one end, or both. */
  static fromFds(fds: { read?: number; write?: number }, options: { system?: System } = {}): Channel {
    const { read, write } = checkOptions(fds, 'fds', ['read', 'write']) as { read?: number; write?: number }
    const { system: given = openSystem() } = checkOptions(options, 'options', ['system'])
    const system = checkSystem(given, 'options.system')
    if (read === undefined && write === undefined) throw invalidValue('fds', 'must have a read or a write end')
    if (read !== undefined) checkInt(read, 'fds.read')
    if (write !== undefined) checkInt(write, 'fds.write')
    const readEnd = read === undefined ? undefined : new OwnedFd(system, read, 'read end of a Channel')
    // One descriptor for both directions has one owner, or it would be closed twice.
    const writeEnd =
      write === undefined ? undefined : write === read ? readEnd : new OwnedFd(system, write, 'write end of a Channel')
    return new Channel(system, readEnd, writeEnd)
  }

  /** @internal The two ends of a launch's pipe. It is never forgotten, and so not watched for collection. */
  static ofLaunch(system: System, read: number, write: number): Channel {
    return new Channel(system, new OwnedFd(system, read), new OwnedFd(system, write))
  }

  /** The descriptor that notifications are read from; -1 once closed. */
  get readFd(): number {
    return this.#read?.fd ?? -1
  }

  /** The descriptor that notifications are written to; -1 once closed. */
  get writeFd(): number {
    return this.#write?.fd ?? -1
  }

  /**
   * Sends one notification.
   *
   * @throws ChannelClosedError when this end is closed; SystemError EPIPE when nobody is left to be notified.
   */
  notify(): void {
    if (this.writeFd < 0) throw new ChannelClosedError('its write end was closed here')
    this.#system.write(this.writeFd, notification)
  }

  /**
   * Waits for one notification; several waits are served in their order. One that times out or is aborted takes no notification.
   *
   * @throws (by rejection) ChannelClosedError at end of file, TimedOutError after `timeoutMs`, the signal's reason when aborted.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    using deadline = new Deadline(this.#system, 'waiting for a notification', checkWaitOptions(options))
    const turn = this.#lastWait
    const wait = turn === undefined ? this.#take(deadline.signal) : this.#takeAfter(turn, deadline.signal)
    // Whoever comes next waits for this wait's end, and for all before it: an aborted one ends early.
    const settled = Promise.allSettled([turn, wait])
    this.#lastWait = settled
    // Not when this wait ends: those before it may be waiting still.
    void settled.then(() => {
      if (this.#lastWait === settled) this.#lastWait = undefined
    })
    await wait
  }

  /**
   * Waits for one notification, blocking the thread.
   *
   * @throws ChannelClosedError at end of file.
   */
  waitSync(): void {
    while (!this.#readByte()) this.#blockUntilReadable()
  }

  /** Closes the read end; idempotent. Waits still pending are rejected with ChannelClosedError. */
  closeRead(): void {
    this.#read?.close()
  }

  /** Closes the write end; idempotent. */
  closeWrite(): void {
    this.#write?.close()
  }

  /** Closes both ends; idempotent. */
  close(): void {
    this.closeRead()
    this.closeWrite()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #takeAfter(turn: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
    await orAborted(turn, signal)
    await this.#take(signal)
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      if (this.readFd < 0) throw this.#closedHere()
      await this.#ready(signal)
      if (this.readFd < 0) throw this.#closedHere()
      // Asked again because another process may have been quicker, and a read of nothing would block the thread.
      if (isReadable(this.#system, this.readFd) && this.#readByte()) return
    }
  }

  async #ready(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#system.ready(this.readFd, POLLIN, { signal })
    } catch (error) {
      if (this.readFd < 0 && !signal?.aborted) throw this.#closedHere()
      throw error
    }
  }

  /** Whether a byte came; false where the call is to be made again. */
  #readByte(): boolean {
    if (this.readFd < 0) throw this.#closedHere()
    try {
      if (this.#system.read(this.readFd, received) === 1) return true
    } catch (error) {
      // EAGAIN of a descriptor that somebody made non-blocking.
      if (isErrno(error, 'EINTR', 'EAGAIN')) return false
      // A socketpair whose peer was closed with notifications unread says so once.
      if (!isErrno(error, 'ECONNRESET')) throw error
    }
    throw new ChannelClosedError()
  }

  #blockUntilReadable(): void {
    try {
      this.#system.poll([{ fd: this.readFd, events: POLLIN }], -1)
    } catch (error) {
      if (!isErrno(error, 'EINTR')) throw error
    }
  }

  #closedHere(): ChannelClosedError {
    return new ChannelClosedError('its read end was closed here')
  }
}
