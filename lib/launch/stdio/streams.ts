/** The parent's ends of a child's pipes, as Node streams over any System. */

import { Duplex, Readable, Writable } from 'node:stream'
import type { System } from '../../system/system.ts'
import type { OwnedFd } from '../base/owned-fd.ts'
import { goOnAfterThrows } from '../base/user-callbacks.ts'
import { type Done, FdPort } from './fd-port.ts'

// Finds the port of a stream of each class; the port is private to users of the stream.
const ports: ((stream: object) => FdPort | undefined)[] = []

function portOf(stream: object): FdPort | undefined {
  for (const port of ports) {
    const found = port(stream)
    if (found !== undefined) return found
  }
  return undefined
}

/** The output of a child, to be read here. */
export class ChildReadable extends Readable {
  readonly #port: FdPort

  static {
    ports.push(stream => (#port in stream ? stream.#port : undefined))
  }

  constructor(system: System, owned: OwnedFd) {
    super()
    this.#port = new FdPort(system, owned, this)
    this.on('end', closeAtEnd)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#port.fd
  }

  /** Lets the event loop stay alive while this stream waits for the child (the default). */
  ref(): this {
    this.#port.keepsAlive = true
    return this
  }

  /** Lets the event loop end although this stream waits for the child. */
  unref(): this {
    this.#port.keepsAlive = false
    return this
  }

  /** Reads on, also where the stream was given to another child. */
  override resume(): this {
    this.#port.resumeReading()
    return super.resume()
  }

  override _read(): void {
    this.#port.startReading()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#port.close(error, done)
  }
}

/** The input of a child, to be written here. Its end is the child's end of file. */
export class ChildWritable extends Writable {
  readonly #port: FdPort

  static {
    ports.push(stream => (#port in stream ? stream.#port : undefined))
    goOnAfterThrows(ChildWritable.prototype)
  }

  constructor(system: System, owned: OwnedFd) {
    super()
    this.#port = new FdPort(system, owned, this)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#port.fd
  }

  /** Lets the event loop stay alive while a write waits for the child (the default). */
  ref(): this {
    this.#port.keepsAlive = true
    return this
  }

  /** Lets the event loop end although a write waits for the child. */
  unref(): this {
    this.#port.keepsAlive = false
    return this
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#port.write(chunk, done)
  }

  // Closed here, not in _destroy: Node runs that after all callbacks and listeners of the end, and a throw among them
  // would keep the child waiting.
  override _final(done: Done): void {
    this.#port.close(null, done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#port.close(error, done)
  }
}

/** A two-way channel to a child (a socketpair), as its descriptor 3 or above. */
export class ChildDuplex extends Duplex {
  readonly #port: FdPort

  static {
    ports.push(stream => (#port in stream ? stream.#port : undefined))
    goOnAfterThrows(ChildDuplex.prototype)
  }

  constructor(system: System, owned: OwnedFd) {
    super({ allowHalfOpen: false })
    this.#port = new FdPort(system, owned, this)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#port.fd
  }

  /** Lets the event loop stay alive while this stream waits for the child (the default). */
  ref(): this {
    this.#port.keepsAlive = true
    return this
  }

  /** Lets the event loop end although this stream waits for the child. */
  unref(): this {
    this.#port.keepsAlive = false
    return this
  }

  /** Reads on, also where the stream was given to another child. */
  override resume(): this {
    this.#port.resumeReading()
    return super.resume()
  }

  override _read(): void {
    this.#port.startReading()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#port.write(chunk, done)
  }

  override _final(done: Done): void {
    this.#port.endWrites(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#port.close(error, done)
  }
}

// Node destroys an ended stream only after all listeners of 'end': a throw among them would keep the descriptor open.
function closeAtEnd(this: ChildReadable): void {
  this.destroy()
}

/** Whether the stream was given to another child: its bytes must not be read here. */
export function isGivenAway(stream: object): boolean {
  return portOf(stream)?.isSuspended === true
}

/** Gives a child's stream to another child. Returns the undo; undefined for a stream of another kind. */
export function giveAwayChildStream(stream: object): (() => void) | undefined {
  const port = portOf(stream)
  if (port === undefined) return undefined
  if (!(stream instanceof Readable)) {
    port.share()
    return () => {}
  }
  return stopReading(stream, port)
}

/** Stops reading at once, since bytes read here are lost to the child. Only resume() reads on. */
function stopReading(stream: Readable, port: FdPort): () => void {
  const wasSuspended = port.isSuspended
  const wasFlowing = stream.readableFlowing
  port.suspendReading()
  port.share()
  stream.pause()
  return () => {
    if (wasSuspended) return
    port.resumeReading()
    if (wasFlowing) stream.resume()
  }
}
