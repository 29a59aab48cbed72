/** The Channel: each byte is one notification from one process to another. */

import { openSystem } from '../../open-system.ts'
import { checkInt, checkOptions, invalidValue } from '../../system/arguments.ts'
import { checkSystem } from '../../system/check-system.ts'
import { constants } from '../../system/constants.ts'
import { ChannelClosedError, isErrno } from '../../system/errors.ts'
import { here, requireHere } from '../../system/made-here.ts'
import type { Descriptors, Readiness, System } from '../../system/system.ts'
import { openAbove } from '../base/above-standard.ts'
import { checkWaitOptions, Deadline, type WaitOptions } from '../base/deadline.ts'
import { takeEveryStep } from '../base/every-step.ts'
import { isReadable } from '../base/is-readable.ts'
import { OwnedFd, toBeOwned } from '../base/owned-fd.ts'

const { AF_UNIX, O_CLOEXEC, POLLIN, SOCK_CLOEXEC, SOCK_STREAM } = constants

const notification = Uint8Array.of(1)
// The target of each read; the byte's value does not matter.
const received = new Uint8Array(1)

/** Options of {@link Channel.open}. */
export interface ChannelOptions {
  /** A one-way pipe (the default), or a socketpair. */
  readonly kind?: 'pipe' | 'socketpair'
  /** Where it is opened; openSystem() by default. */
  readonly system?: System
}

interface Wait {
  readonly settle: () => void
  readonly fail: (error: unknown) => void
}

/** Makes a Channel of a launch's pipe. The launch always closes it, so its collection is not watched. */
export let channelOfLaunch: (system: System, read: number, write: number) => Channel
/** Whether a Channel's descriptors belong to this System. */
export let isChannelOf: (channel: Channel, system: System) => boolean

/**
 * A notification channel between two processes: a pipe (pipe2(2)) or a socketpair(2) whose every byte is one
 * notification.
 *
 * Each side keeps the end it uses and closes the other: only then does each side see when the other is gone.
 *
 * @example
 * const channel = Channel.open()
 * const pid = system.fork({
 *   actions: [{ op: 'traceme' }, { op: 'write', fd: channel.writeFd, data: Uint8Array.of(1) }, …],
 * })
 * channel.closeWrite()
 * await channel.wait({ timeoutMs: 1000 }) // the child is traced now
 * channel.close()
 */
export class Channel implements Disposable {
  readonly #system: Descriptors & Readiness
  readonly #read: OwnedFd | undefined
  readonly #write: OwnedFd | undefined
  // Waits in order, served by one loop that runs while there are any.
  readonly #waits = new Set<Wait>()
  #isServing = false
  // Aborts the loop's wait for readiness when no wait is left; then replaced.
  #idle: AbortController | undefined

  static {
    channelOfLaunch = (system, read, write) =>
      new Channel(system, new OwnedFd(system, read), new OwnedFd(system, write), here)
    isChannelOf = (channel, system) => channel.#system === system
  }

  private constructor(
    system: Descriptors & Readiness,
    read: OwnedFd | undefined,
    write: OwnedFd | undefined,
    key: unknown,
  ) {
    requireHere(key, 'Channel', 'Channel.open() or Channel.fromFds()')
    this.#system = system
    this.#read = read
    this.#write = write
  }

  /**
   * Opens a channel. Both descriptors are close-on-exec and above the standard ones.
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

  /**
   * Makes a channel from existing descriptors, one end or both. The channel then owns them.
   *
   * @throws TypeError ERR_INVALID_ARG_VALUE without any end.
   */
  static fromFds(fds: { read?: number; write?: number }, options: { system?: System } = {}): Channel {
    const { read, write } = checkOptions(fds, 'fds', ['read', 'write']) as { read?: number; write?: number }
    const { system: given = openSystem() } = checkOptions(options, 'options', ['system'])
    const system = checkSystem(given, 'options.system')
    if (read === undefined && write === undefined) throw invalidValue('fds', 'must have a read or a write end')
    if (read !== undefined) checkInt(read, 'fds.read')
    if (write !== undefined) checkInt(write, 'fds.write')
    const readEnd = read === undefined ? undefined : new OwnedFd(system, read, 'read end of a Channel')
    // A descriptor given for both ends has one owner: two would close it twice.
    const writeEnd =
      write === undefined ? undefined : write === read ? readEnd : new OwnedFd(system, write, 'write end of a Channel')
    return new Channel(system, readEnd, writeEnd, here)
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
   * Sends one notification. Blocks while the channel is full: a pipe takes 65,536 that are not yet read, a socketpair
   * some 270.
   *
   * @throws ChannelClosedError when this end is closed; SystemError EPIPE when the other side has no reader left.
   */
  notify(): void {
    if (this.writeFd < 0) throw new ChannelClosedError('its write end was closed here')
    this.#system.write(this.writeFd, notification)
  }

  /**
   * Waits for one notification; several waits are served in order. A wait that times out or is aborted takes no
   * notification.
   *
   * @throws (by rejection) ChannelClosedError at end of file, TimedOutError after `timeoutMs`, the signal's reason when
   * aborted.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    using deadline = new Deadline(this.#system, 'waiting for a notification', checkWaitOptions(options), () =>
      this.#serveWhatIsThere(),
    )
    await this.#enqueue(deadline.signal)
  }

  /**
   * Waits for one notification, blocking the thread.
   *
   * @throws ChannelClosedError at end of file.
   */
  waitSync(): void {
    while (!this.#readByte()) this.#blockUntilReadable()
  }

  /** Closes the read end; idempotent. Pending waits are rejected with ChannelClosedError. */
  closeRead(): void {
    this.#read?.close()
  }

  /** Closes the write end; idempotent. */
  closeWrite(): void {
    this.#write?.close()
  }

  /** Closes both ends; idempotent. */
  close(): void {
    takeEveryStep([() => this.closeRead(), () => this.closeWrite()])
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #enqueue(signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const abort = () => {
        // A served wait keeps its notification, even if it is aborted before its promise settles.
        if (!this.#waits.delete(wait)) return
        this.#stopWhenIdle()
        reject(signal?.reason)
      }
      const wait: Wait = {
        settle: () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
        fail: error => {
          signal?.removeEventListener('abort', abort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waits.add(wait)
      if (!this.#isServing) void this.#serve()
    })
  }

  async #serve(): Promise<void> {
    this.#isServing = true
    while (this.#waits.size > 0) {
      this.#idle ??= new AbortController()
      const { signal } = this.#idle
      try {
        if (this.readFd < 0) throw this.#closedHere()
        await this.#system.ready(this.readFd, POLLIN, { signal })
        // Checked again: another process may have taken the byte, and a read of an empty pipe would block the thread.
        if (this.#waits.size > 0 && (this.readFd < 0 || isReadable(this.#system, this.readFd))) this.#serveOne()
      } catch (error) {
        if (!signal.aborted) this.#failAll(this.readFd < 0 ? this.#closedHere() : error)
      }
    }
    this.#isServing = false
  }

  /** Serves waits, in order, with the notifications already available; whether there were any. */
  #serveWhatIsThere(): boolean {
    let served = false
    while (this.#waits.size > 0 && this.readFd >= 0 && isReadable(this.#system, this.readFd)) {
      if (!this.#serveOne()) break
      served = true
    }
    this.#stopWhenIdle()
    return served
  }

  /** Gives the next notification to the first wait. At end of file every wait fails. */
  #serveOne(): boolean {
    try {
      if (!this.#readByte()) return false
      const [first] = this.#waits
      this.#waits.delete(first!)
      first!.settle()
    } catch (error) {
      this.#failAll(error)
    }
    return true
  }

  #failAll(error: unknown): void {
    const waits = [...this.#waits]
    this.#waits.clear()
    for (const wait of waits) wait.fail(error)
  }

  #stopWhenIdle(): void {
    if (this.#waits.size > 0) return
    this.#idle?.abort()
    this.#idle = undefined
  }

  /** Whether a byte came; false where the read must be retried. */
  #readByte(): boolean {
    if (this.readFd < 0) throw this.#closedHere()
    try {
      if (this.#system.read(this.readFd, received) === 1) return true
    } catch (error) {
      // EAGAIN: other code has made the descriptor non-blocking.
      if (isErrno(error, 'EINTR', 'EAGAIN')) return false
      // ECONNRESET: a socketpair reports, once, that its peer was closed with unread notifications.
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
