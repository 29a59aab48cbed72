/**
 * The parent's reader of a child's launch channel: the notify byte, then a failure record if a step fails.
 *
 * Its end of file means that the child has exec'ed or has ended. The channel is non-blocking.
 */

import { type ChildReport, childReportBytes, decodeChildReport } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import type { Abortable, System } from '../../system/system.ts'
import type { Channel } from './channel.ts'

const { POLLIN } = constants

const notifyBytes = 1
// Shared by all reads. The bytes of one launch go to a list, which is cheaper than a buffer with views.
const chunk = new Uint8Array(notifyBytes + childReportBytes)

export class Handshake {
  readonly #system: System
  readonly #channel: Channel
  readonly #bytes: number[] = []
  #atEnd = false
  // Ends the wait for readiness under way, once look() has read bytes.
  #wake: (() => void) | undefined

  constructor(system: System, channel: Channel) {
    this.#system = system
    this.#channel = channel
  }

  /** Whether the child has sent its notify byte. It comes alone or before a record; a record may come without it. */
  get notified(): boolean {
    const { length } = this.#bytes
    return length === notifyBytes || length === notifyBytes + childReportBytes
  }

  /** The failure record, if one has come. */
  get report(): ChildReport | undefined {
    if (this.#bytes.length < childReportBytes) return undefined
    return decodeChildReport(Uint8Array.from(this.notified ? this.#bytes.slice(notifyBytes) : this.#bytes))
  }

  /** Whether nothing more is to come: the child has exec'ed, has ended, or has sent its failure record. */
  get #isOver(): boolean {
    return this.#atEnd || this.#bytes.length >= childReportBytes
  }

  /** Waits for the notify byte. False where the child sent a record, or ended, instead. */
  async awaitNotification(options: Abortable): Promise<boolean> {
    while (!this.notified && !this.#isOver) await this.#receive(options)
    return this.notified && this.report === undefined
  }

  /** Waits for the child's exec or end, or for the record that announces its end. */
  async awaitEnd(options: Abortable): Promise<void> {
    while (!this.#isOver) await this.#receive(options)
  }

  /** Reads what is available, without waiting: the notify byte, the record, or both. */
  drain(): void {
    try {
      while (!this.#isOver && !this.#readOnce()) {}
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
    }
  }

  /** As drain(), but wakes a wait under way when bytes or the end of file came; whether any did. */
  look(): boolean {
    const { length } = this.#bytes
    const wasAtEnd = this.#atEnd
    try {
      this.drain()
    } catch {
      // Other code has closed the descriptor: nothing more can be read, and the wait under way rejects with it.
      return false
    }
    const found = this.#bytes.length > length || this.#atEnd !== wasAtEnd
    if (found) this.#wake?.()
    return found
  }

  async #receive(options: Abortable): Promise<void> {
    const looked = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    // A wait for readiness that look() has overtaken ends when the channel is closed.
    await Promise.race([looked, this.#system.ready(this.#channel.readFd, POLLIN, options)])
    this.#wake = undefined
    this.drain()
  }

  /** Reads once; true when only the notify byte has come, after which nothing is due for a while. */
  #readOnce(): boolean {
    const count = this.#system.read(this.#channel.readFd, chunk)
    for (let i = 0; i < count; i++) this.#bytes.push(chunk[i]!)
    this.#atEnd = count === 0
    return this.#bytes.length === notifyBytes
  }
}
