/** The socket options that a socket keeps, and the values that Linux makes of those set: socket(7), unix(7). */

import { constants } from '../../system/constants.ts'
import { EINVAL, ENOPROTOOPT } from '../base/results.ts'

const { SO_SNDBUF, SO_SNDBUFFORCE, SO_RCVBUF, SO_RCVBUFFORCE, SO_RCVLOWAT, SO_SNDLOWAT, SO_PEEK_OFF } = constants
const { SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN, SO_LINGER, SO_PASSCRED, SO_OOBINLINE, AF_UNIX } = constants

/** net.core.wmem_default and rmem_default. */
const defaultBufferBytes = 212_992
/** net.core.wmem_max. */
const largestBufferBytes = 4_194_304
const smallestSendBuffer = 4608
const smallestReceiveBuffer = 2304

/** Options kept as 0 or 1. Only SO_PASSCRED and SO_OOBINLINE have an effect here. */
const switches: ReadonlySet<number> = new Set([
  constants.SO_DEBUG,
  constants.SO_REUSEADDR,
  constants.SO_DONTROUTE,
  constants.SO_BROADCAST,
  constants.SO_KEEPALIVE,
  SO_OOBINLINE,
  SO_PASSCRED,
])

/** The options of one socket. */
export class SocketOptions {
  sendBuffer = defaultBufferBytes
  /** SO_RCVLOWAT: the bytes that a read of a stream waits for. */
  lowWater = 1
  /** SO_PEEK_OFF: byte offset of the next peek; -1 while peeks begin at the front. */
  peekOffset = -1
  #receiveBuffer = defaultBufferBytes
  /** The switches that are on: bit n is option n. */
  #on = 0

  get wantsUrgentInline(): boolean {
    return this.#isOn(SO_OOBINLINE)
  }

  get wantsCredentials(): boolean {
    return this.#isOn(SO_PASSCRED)
  }

  /** The option's value; undefined for one that is not kept here. */
  get(option: number): number | undefined {
    switch (option) {
      case SO_SNDBUF:
        return this.sendBuffer
      case SO_RCVBUF:
        return this.#receiveBuffer
      case SO_RCVLOWAT:
        return this.lowWater
      case SO_SNDLOWAT:
        return 1
      case SO_PEEK_OFF:
        return this.peekOffset
      case SO_DOMAIN:
        return AF_UNIX
      case SO_PROTOCOL:
      case SO_ACCEPTCONN:
      case SO_LINGER:
        return 0
      default:
        return switches.has(option) ? Number(this.#isOn(option)) : undefined
    }
  }

  /** Sets the option: 0 or a negative errno. */
  set(option: number, value: number): number {
    switch (option) {
      case SO_SNDBUF:
        this.sendBuffer = bufferBytes(Math.min(value >>> 0, largestBufferBytes), smallestSendBuffer)
        return 0
      case SO_SNDBUFFORCE:
        this.sendBuffer = bufferBytes(Math.max(value, 0), smallestSendBuffer)
        return 0
      case SO_RCVBUF:
        this.#receiveBuffer = bufferBytes(Math.min(value >>> 0, largestBufferBytes), smallestReceiveBuffer)
        return 0
      case SO_RCVBUFFORCE:
        this.#receiveBuffer = bufferBytes(Math.max(value, 0), smallestReceiveBuffer)
        return 0
      case SO_RCVLOWAT:
        this.lowWater = value < 0 ? 0x7fffffff : value || 1
        return 0
      case SO_PEEK_OFF:
        this.peekOffset = value
        return 0
      case SO_LINGER:
        // Its value is a struct of two integers; this call passes one.
        return -EINVAL
      default:
        if (!switches.has(option)) return -ENOPROTOOPT
        if (value === 0) this.#on &= ~(1 << option)
        else this.#on |= 1 << option
        return 0
    }
  }

  #isOn(option: number): boolean {
    return (this.#on & (1 << option)) !== 0
  }
}

/** Linux doubles the size asked for: half of a buffer is for its own bookkeeping. */
function bufferBytes(asked: number, smallest: number): number {
  return Math.max(Math.min(asked, 0x3fffffff) * 2, smallest)
}
