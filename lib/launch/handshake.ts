/**
 * What a child in launch writes to its channel: the notify byte, then a failure record if a step fails.
 *
 * Its end of file says that the child has exec'ed, or has ended.
 */

import { type ChildReport, childReportBytes, decodeChildReport } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import type { Abortable, System } from '../system/system.ts'
import type { Channel } from './channel.ts'
import { isReadable } from './is-readable.ts'

const { POLLIN } = constants

const notifyBytes = 1

export class Handshake {
  readonly #system: System
  readonly #channel: Channel
  readonly #bytes = new Uint8Array(notifyBytes + childReportBytes)
  #length = 0
  #atEnd = false

  constructor(system: System, channel: Channel) {
    this.#system = system
    this.#channel = channel
  }

  /** Whether the child has sent its notify byte. A record alone is no notification: both are written whole. */
  get notified(): boolean {
    return this.#length % childReportBytes === notifyBytes
  }

  /** The failure record, if one has come. */
  get report(): ChildReport | undefined {
    return decodeChildReport(this.#bytes.subarray(this.notified ? notifyBytes : 0, this.#length))
  }

  /** Waits for the notify byte. False where the child sent a record, or ended, instead. */
  async awaitNotification(options: Abortable): Promise<boolean> {
    while (!this.notified && this.report === undefined && !this.#atEnd) await this.#receive(options)
    return this.notified && this.report === undefined
  }

  /** Waits for the child's exec or end. */
  async awaitEnd(options: Abortable): Promise<void> {
    while (!this.#atEnd) await this.#receive(options)
  }

  /** Reads what is there, without waiting. */
  drain(): void {
    while (!this.#atEnd && isReadable(this.#system, this.#channel.readFd)) this.#readOnce()
  }

  async #receive(options: Abortable): Promise<void> {
    await this.#system.ready(this.#channel.readFd, POLLIN, options)
    this.#readOnce()
  }

  #readOnce(): void {
    const bytes = this.#system.read(this.#channel.readFd, this.#bytes.subarray(this.#length))
    this.#length += bytes
    this.#atEnd = bytes === 0
  }
}
