/** The parent's ends of a child's pipes, as Node streams over any System: non-blocking, ready-driven, with backpressure. */

import { Duplex, Readable, Writable } from 'node:stream'
import { constants } from '../system/constants.ts'
import { isErrno } from '../system/errors.ts'
import type { System } from '../system/system.ts'
import type { OwnedFd } from './owned-fd.ts'

const { F_GETFL, F_SETFL, O_NONBLOCK, POLLIN, POLLOUT, SHUT_WR } = constants

const chunkBytes = 65_536

// One for all streams: filled and emptied within one synchronous read.
let scratch: Buffer | undefined

type Done = (error?: Error | null) => void

/** A descriptor of ours, read and written without ever blocking the thread. */
class FdPort {
  readonly owned: OwnedFd
  readonly #system: System

  constructor(system: System, owned: OwnedFd) {
    this.#system = system
    this.owned = owned
    // Only the parent's end: the child's end of a pipe is an open file description of its own.
    system.fcntl(owned.fd, F_SETFL, system.fcntl(owned.fd, F_GETFL) | O_NONBLOCK)
  }

  /** The next bytes; null at end of file, or once closed. */
  async read(): Promise<Buffer | null> {
    while (this.owned.fd >= 0) {
      try {
        await this.#system.ready(this.owned.fd, POLLIN)
        if (this.owned.fd < 0) break
        return this.#readNow()
      } catch (error) {
        if (this.owned.fd < 0) break
        // A socket whose peer went away with our bytes unread: there is nothing more to come.
        if (isErrno(error, 'ECONNRESET')) return null
        if (!isErrno(error, 'EAGAIN', 'EINTR')) throw error
      }
    }
    return null
  }

  async writeAll(data: Uint8Array): Promise<void> {
    let rest = data
    while (rest.length > 0) {
      try {
        rest = rest.subarray(this.#system.write(this.owned.fd, rest))
      } catch (error) {
        if (!isErrno(error, 'EAGAIN', 'EINTR')) throw error
        await this.#system.ready(this.owned.fd, POLLOUT)
      }
    }
  }

  endWrites(): void {
    this.#system.shutdown(this.owned.fd, SHUT_WR)
  }

  close(error: Error | null, done: Done): void {
    this.owned.close()
    done(error)
  }

  #readNow(): Buffer | null {
    scratch ??= Buffer.allocUnsafeSlow(chunkBytes)
    const bytes = this.#system.read(this.owned.fd, scratch)
    if (bytes === 0) return null
    const chunk = scratch.subarray(0, bytes)
    // A large chunk takes the buffer with it; a small one is not worth 64 KiB.
    if (bytes < chunkBytes / 4) return Buffer.from(chunk)
    scratch = undefined
    return chunk
  }
}

function pushNext(stream: Readable, port: FdPort): void {
  port.read().then(
    chunk => {
      if (!stream.destroyed) stream.push(chunk)
    },
    error => stream.destroy(error),
  )
}

function writeNext(port: FdPort, chunk: Uint8Array, done: Done): void {
  port.writeAll(chunk).then(() => done(), done)
}

/** What a child writes, to be read here. */
export class ChildReadable extends Readable {
  readonly #port: FdPort

  constructor(system: System, owned: OwnedFd) {
    super()
    this.#port = new FdPort(system, owned)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#port.owned.fd
  }

  override _read(): void {
    pushNext(this, this.#port)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#port.close(error, done)
  }
}

/** What a child reads, to be written here. Its end is the child's end of file. */
export class ChildWritable extends Writable {
  readonly #port: FdPort

  constructor(system: System, owned: OwnedFd) {
    super()
    this.#port = new FdPort(system, owned)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#port.owned.fd
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    writeNext(this.#port, chunk, done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#port.close(error, done)
  }
}

/** A two-way channel to a child (a socketpair), as its descriptor 3 or above. */
export class ChildDuplex extends Duplex {
  readonly #port: FdPort

  constructor(system: System, owned: OwnedFd) {
    super({ allowHalfOpen: false })
    this.#port = new FdPort(system, owned)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#port.owned.fd
  }

  override _read(): void {
    pushNext(this, this.#port)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    writeNext(this.#port, chunk, done)
  }

  override _final(done: Done): void {
    this.#port.endWrites()
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#port.close(error, done)
  }
}
