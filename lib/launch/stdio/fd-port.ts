/** A descriptor behind a Node stream. Event-loop callbacks read and write it without blocking the thread. */

import { AsyncResource } from 'node:async_hooks'
import { isUsable } from '../../system/arguments.ts'
import { constants } from '../../system/constants.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import type { ReadinessWatch, System } from '../../system/system.ts'
import { isReadable, isWritable } from '../base/is-readable.ts'
import type { OwnedFd } from '../base/owned-fd.ts'

const { F_GETFL, F_SETFL, F_SETPIPE_SZ, O_NONBLOCK, POLLIN, POLLOUT, SHUT_WR } = constants

const chunkBytes = 65_536
// The limit of libuv per descriptor and turn: every other descriptor gets its turn too.
const mostCallsATurn = 32
// Size of a pipe that carries much. An ordinary user has 64 MiB for all pipes; beyond that, new pipes become small.
const bulkPipeBytes = 524_288
const fullReadsOfBulk = 4
// PIPE_BUF: a pipe that is ready for writing takes this much at once.
const certainBytes = 4096

// Shared by all streams: filled and emptied within one synchronous read.
let scratch: Buffer | undefined

export type Done = (error?: Error | null) => void

/** The stream that a port serves. */
export interface PortStream {
  push?(chunk: Buffer | null): boolean
  destroy(error?: Error): unknown
}

interface PendingWrite {
  readonly data: Uint8Array
  /** The initial length. `data` has another one after its memory was resized or transferred. */
  readonly length: number
  readonly done: Done
  written: number
}

export class FdPort {
  readonly #system: System
  readonly #owned: OwnedFd
  readonly #stream: PortStream
  // The stream's listeners run in the asynchronous context of its first use, as in child_process.
  #context: AsyncResource | undefined
  #keepsAlive = true
  #reader: ReadinessWatch | undefined
  #writer: ReadinessWatch | undefined
  #write: PendingWrite | undefined
  // True while the stream asks for more.
  #isReadWanted = false
  #isSuspended = false
  // True once a child has the same open file description, and may have made it blocking.
  #isShared = false
  #fullReads = 0
  #isBulk = false

  constructor(system: System, owned: OwnedFd, stream: PortStream) {
    this.#system = system
    this.#owned = owned
    this.#stream = stream
    // Affects the parent's end only: the child's end of a pipe is an open file description of its own.
    system.fcntl(owned.fd, F_SETFL, system.fcntl(owned.fd, F_GETFL) | O_NONBLOCK)
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#owned.fd
  }

  /** Whether waits of this stream keep the event loop alive. */
  set keepsAlive(keepsAlive: boolean) {
    this.#keepsAlive = keepsAlive
    for (const watch of [this.#reader, this.#writer]) if (watch !== undefined) watch.keepsAlive = keepsAlive
  }

  /** Whether reading is suspended. */
  get isSuspended(): boolean {
    return this.#isSuspended
  }

  /** Pushes incoming bytes into the stream until the stream has enough. */
  startReading(): void {
    this.#isReadWanted = true
    if (this.#isSuspended || this.#reader !== undefined || this.fd < 0) return
    try {
      this.#reader = this.#watch(POLLIN, () => this.#readSome())
    } catch (error) {
      this.#stream.destroy(error as Error)
    }
  }

  /** Another process reads this description from now on: reading here would take its bytes. */
  suspendReading(): void {
    this.#isSuspended = true
    this.#stopReader()
  }

  resumeReading(): void {
    this.#isSuspended = false
    if (this.#isReadWanted) this.startReading()
  }

  /** Another process shares this description and may make it blocking: no call relies on O_NONBLOCK any more. */
  share(): void {
    this.#isShared = true
  }

  /** Writes all of `data`, then calls `done`. EFAULT if its memory is transferred or shrinks before that. */
  write(data: Uint8Array, done: Done): void {
    this.#write = { data, length: data.length, done, written: 0 }
    if (data.length === 0 && !isUsable(data)) this.#finishWrite(memoryGone())
    else this.#writeSome(this.#write)
  }

  endWrites(done: Done): void {
    try {
      this.#system.shutdown(this.fd, SHUT_WR)
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }

  close(error: Error | null, done: Done): void {
    this.#stopReader()
    this.#stopWriter()
    const pending = this.#write
    this.#write = undefined
    // Deferred: a user's callback must not run inside close().
    if (pending !== undefined) process.nextTick(pending.done, error ?? streamDestroyed())
    let reason = error
    try {
      this.#owned.close()
    } catch (closing) {
      reason ??= closing as Error
    }
    done(reason)
  }

  #watch(events: number, ready: () => void): ReadinessWatch {
    this.#context ??= new AsyncResource('TRACEGATE_STREAM')
    const context = this.#context
    const watch = this.#system.watch(this.fd, events, {
      ready: () => context.runInAsyncScope(ready),
      failed: error => context.runInAsyncScope(() => this.#stream.destroy(error as Error)),
    })
    if (!this.#keepsAlive) watch.keepsAlive = false
    return watch
  }

  #stopReader(): void {
    this.#reader?.stop()
    this.#reader = undefined
  }

  #stopWriter(): void {
    this.#writer?.stop()
    this.#writer = undefined
  }

  /** A listener may throw out of a push: all state must be consistent before each push. */
  #readSome(): void {
    for (let calls = 0; calls < mostCallsATurn && this.#reader !== undefined; calls++) {
      const chunk = this.#tryRead()
      if (chunk === undefined) return
      if (chunk === null) this.#stopReader()
      if (!this.#stream.push?.(chunk)) {
        this.#isReadWanted = false
        this.#stopReader()
      }
      if (chunk === null || chunk.length < chunkBytes) return
    }
  }

  /** The next bytes; null at end of file, undefined where nothing is available. */
  #tryRead(): Buffer | null | undefined {
    try {
      if (this.#isShared && !isReadable(this.#system, this.fd)) return undefined
      return this.#readNow()
    } catch (error) {
      // ECONNRESET: the socket's peer has closed with bytes unread, so nothing more is to come.
      // EIO: no slave of the terminal is open any more, and all output has been read.
      if (isErrno(error, 'ECONNRESET', 'EIO')) return null
      if (!isErrno(error, 'EAGAIN', 'EINTR')) {
        this.#stopReader()
        this.#stream.destroy(error as Error)
      }
      return undefined
    }
  }

  #readNow(): Buffer | null {
    scratch ??= Buffer.allocUnsafeSlow(chunkBytes)
    const bytes = this.#system.read(this.fd, scratch)
    if (bytes === 0) return null
    this.#fullReads = bytes === chunkBytes ? this.#fullReads + 1 : 0
    if (this.#fullReads === fullReadsOfBulk) this.#makeRoom()
    const chunk = scratch.subarray(0, bytes)
    // A large chunk keeps the buffer; a small one is copied, since it is not worth 64 KiB.
    if (bytes < chunkBytes / 4) return Buffer.from(chunk)
    scratch = undefined
    return chunk
  }

  #writeSome(write: PendingWrite): void {
    try {
      for (let calls = 0; write.written < write.length; calls++) {
        if (write.data.length < write.length) throw memoryGone()
        if (calls === mostCallsATurn || (this.#isShared && !isWritable(this.#system, this.fd))) {
          this.#awaitRoom(write)
          return
        }
        write.written += this.#writeNow(write)
      }
    } catch (error) {
      if (!isErrno(error, 'EAGAIN', 'EINTR')) this.#finishWrite(error as Error)
      else this.#awaitRoom(write)
      return
    }
    this.#finishWrite()
  }

  #writeNow({ data, written, length }: PendingWrite): number {
    const end = this.#isShared ? Math.min(length, written + certainBytes) : length
    const isWhole = written === 0 && end === data.length
    return this.#system.write(this.fd, isWhole ? data : data.subarray(written, end))
  }

  #awaitRoom(write: PendingWrite): void {
    if (write.length - write.written >= chunkBytes) this.#makeRoom()
    try {
      this.#writer ??= this.#watch(POLLOUT, () => this.#writeSome(write))
    } catch (error) {
      this.#finishWrite(error as Error)
    }
  }

  #finishWrite(error?: Error): void {
    const done = this.#write?.done
    this.#write = undefined
    this.#stopWriter()
    done?.(error)
  }

  /** Enlarges the pipe, once: each wake-up of a process then moves eight times as much. */
  #makeRoom(): void {
    if (this.#isBulk) return
    this.#isBulk = true
    try {
      this.#system.fcntl(this.fd, F_SETPIPE_SZ, bulkPipeBytes)
    } catch {
      // A socket has no such size, or the user's pipe quota is used up: the descriptor works as it is.
    }
  }
}

function memoryGone(): SystemError {
  const hint = 'the memory of the data was resized or transferred before all of it was written'
  return new SystemError({ errno: 'EFAULT', syscall: 'write', hint })
}

/** Node's error for a write that the stream's destruction overtook. */
function streamDestroyed(): Error {
  return Object.assign(new Error('Cannot call write after a stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' })
}
