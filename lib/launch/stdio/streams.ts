/** The parent's ends of a child's pipes, as Node streams over any System. */

import type { Duplex, Readable, Writable } from 'node:stream'
import type { System } from '../../system/system.ts'
import type { OwnedFd } from '../base/owned-fd.ts'
import { goOnAfterThrows } from '../base/user-callbacks.ts'
import { type Done, FdPort } from './fd-port.ts'

/** A stream's descriptor, and how it holds the event loop. */
export interface StreamDescriptor {
  /** The descriptor; -1 once closed. */
  readonly fd: number
  /** Lets the event loop stay alive while this stream waits for the child (the default). */
  ref(): this
  /** Lets the event loop end although this stream waits for the child. */
  unref(): this
}

/** The output of a child, to be read here. */
export interface ChildReadable extends Readable, StreamDescriptor {
  /** Reads on, also where the stream was given to another child. */
  resume(): this
}

/** The input of a child, to be written here. Its end is the child's end of file. */
export interface ChildWritable extends Writable, StreamDescriptor {}

/** A two-way channel to a child (a socketpair), as its descriptor 3 or above. */
export interface ChildDuplex extends Duplex, StreamDescriptor {
  /** Reads on, also where the stream was given to another child. */
  resume(): this
}

interface StreamClasses {
  readonly ChildReadable: new (system: System, owned: OwnedFd) => ChildReadable
  readonly ChildWritable: new (system: System, owned: OwnedFd) => ChildWritable
  readonly ChildDuplex: new (system: System, owned: OwnedFd) => ChildDuplex
}

let defined: StreamClasses | undefined

/** The classes of the streams. Defined at first use: a launch without pipes does not wait for node:stream to load. */
export function streamClasses(): StreamClasses {
  defined ??= defineClasses(process.getBuiltinModule('node:stream'))
  return defined
}

// Finds the port of a stream of each class; the port is private to users of the stream.
const ports: ((stream: object) => FdPort | undefined)[] = []

function portOf(stream: object): FdPort | undefined {
  for (const port of ports) {
    const found = port(stream)
    if (found !== undefined) return found
  }
  return undefined
}

function defineClasses({ Duplex, Readable, Writable }: typeof import('node:stream')): StreamClasses {
  class ChildReadable extends Readable {
    readonly #port: FdPort

    static {
      ports.push(stream => (#port in stream ? stream.#port : undefined))
    }

    constructor(system: System, owned: OwnedFd) {
      super()
      this.#port = new FdPort(system, owned, this)
      this.on('end', closeAtEnd)
    }

    get fd(): number {
      return this.#port.fd
    }

    ref(): this {
      this.#port.keepsAlive = true
      return this
    }

    unref(): this {
      this.#port.keepsAlive = false
      return this
    }

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

  class ChildWritable extends Writable {
    readonly #port: FdPort

    static {
      ports.push(stream => (#port in stream ? stream.#port : undefined))
      goOnAfterThrows(ChildWritable.prototype)
    }

    constructor(system: System, owned: OwnedFd) {
      super()
      this.#port = new FdPort(system, owned, this)
    }

    get fd(): number {
      return this.#port.fd
    }

    ref(): this {
      this.#port.keepsAlive = true
      return this
    }

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

  class ChildDuplex extends Duplex {
    readonly #port: FdPort

    static {
      ports.push(stream => (#port in stream ? stream.#port : undefined))
      goOnAfterThrows(ChildDuplex.prototype)
    }

    constructor(system: System, owned: OwnedFd) {
      super({ allowHalfOpen: false })
      this.#port = new FdPort(system, owned, this)
    }

    get fd(): number {
      return this.#port.fd
    }

    ref(): this {
      this.#port.keepsAlive = true
      return this
    }

    unref(): this {
      this.#port.keepsAlive = false
      return this
    }

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

  return { ChildReadable, ChildWritable, ChildDuplex }
}

// Node destroys an ended stream only after all listeners of 'end': a throw among them would keep the descriptor open.
function closeAtEnd(this: Readable): void {
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
  if (!('readableFlowing' in stream)) {
    port.share()
    return () => {}
  }
  return stopReading(stream as Readable, port)
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
