/**
 * Reports to a FIFO or to an inherited descriptor, on which no answer comes back.
 *
 * Neither may block the command: opening a FIFO without a reader would, and so would writing to a full pipe. poll(2)
 * has no event for a FIFO that is not open yet. So a timer tries again.
 */

import { closeSync, constants as fsConstants, openSync, statSync, writeSync } from 'node:fs'
import { encodeMessage, type StarterMessage } from '../../rendezvous/protocol.ts'
import { constants } from '../../system/constants.ts'
import type { System } from '../../system/system.ts'
import { whyNotWritable } from '../output.ts'
import { quoted } from '../printable.ts'
import { UsageError } from '../usage.ts'
import type { Reporter } from './reporter.ts'
import { whyNotTrusted } from './trusted-user.ts'

const { POLLOUT } = constants
const { O_WRONLY, O_NONBLOCK } = fsConstants

const retryMs = 20
/** PIPE_BUF: a pipe that poll(2) shows as writable takes as many bytes without blocking. */
const chunkBytes = 4096

/** A descriptor that is written without blocking. */
interface Sink {
  /** Opens it, or opens it again after its reader has gone. False: not yet. @throws what cannot be retried. */
  open(): boolean
  /** Writes what fits; the count of bytes. @throws EPIPE, EAGAIN */
  write(bytes: Buffer): number
  close(): void
}

/** @throws Error for a path that is no FIFO, or that may not be written. */
export function openFifo(path: string): Reporter {
  const cannot = (code: string | undefined) => new Error(`cannot report to ${quoted(path)}: ${code}`)
  let fd: number | undefined
  const sink: Sink = {
    open() {
      if (fd !== undefined) closeSync(fd)
      fd = undefined
      try {
        fd = openSync(path, O_WRONLY | O_NONBLOCK)
        return true
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENXIO') return false
        throw cannot(code)
      }
    },
    write: bytes => writeSync(fd!, bytes),
    close() {
      if (fd !== undefined) closeSync(fd)
    },
  }
  try {
    const status = statSync(path)
    if (!status.isFIFO()) throw cannot('not a FIFO')
    const why = whyNotTrusted(status.uid)
    if (why !== undefined) throw cannot(`it ${why}`)
  } catch (error) {
    throw error instanceof Error && 'code' in error ? cannot(String(error.code)) : error
  }
  return new PipeReporter(sink)
}

/** @throws UsageError for a descriptor that is not open, not writable, or Node's own. */
export function openDescriptor(system: System, fd: number): Reporter {
  const code = whyNotWritable(fd)
  if (code !== undefined) throw new UsageError(`option '--report': descriptor ${fd} cannot be written: ${code}`)
  return new PipeReporter(
    {
      open: () => true,
      // O_NONBLOCK would change the description for every process that has it: poll(2) finds out whether there is room.
      write: bytes => (system.poll([{ fd, events: POLLOUT }], 0)[0] === 0 ? 0 : writeSync(fd, bytes)),
      close() {},
    },
    fd,
  )
}

class PipeReporter implements Reporter {
  readonly fd: number | undefined
  readonly words = undefined
  readonly #sink: Sink
  readonly #queue: Buffer[] = []
  // Bytes of the first message that are written.
  #written = 0
  #isOpen = false
  #isBroken = false
  #retry: NodeJS.Timeout | undefined
  #whenEmpty: (() => void) | undefined

  constructor(sink: Sink, fd?: number) {
    this.#sink = sink
    this.fd = fd
  }

  send(message: StarterMessage): void {
    this.#queue.push(Buffer.from(encodeMessage(message)))
    this.#flush()
  }

  async close(graceMs: number): Promise<boolean> {
    this.#flush()
    if (this.#queue.length > 0 && !this.#isBroken && graceMs > 0) {
      const empty = new Promise<void>(resolve => {
        this.#whenEmpty = resolve
      })
      let limit: NodeJS.Timeout | undefined
      const over = new Promise<void>(resolve => {
        limit = setTimeout(resolve, graceMs)
      })
      await Promise.race([empty, over])
      clearTimeout(limit)
    }
    clearTimeout(this.#retry)
    this.#isBroken = true
    this.#sink.close()
    return this.#queue.length === 0
  }

  #flush(): void {
    clearTimeout(this.#retry)
    if (!this.#isBroken && !this.#writeAll()) this.#retry = setTimeout(() => this.#flush(), retryMs)
    if (this.#queue.length === 0 || this.#isBroken) this.#whenEmpty?.()
  }

  /** Writes the queue; false if it must be tried again. */
  #writeAll(): boolean {
    try {
      while (this.#queue.length > 0) {
        this.#isOpen ||= this.#sink.open()
        if (!this.#isOpen) return false
        const [first] = this.#queue
        const count = this.#sink.write(first!.subarray(this.#written, this.#written + chunkBytes))
        if (count === 0) return false
        this.#written += count
        if (this.#written < first!.length) continue
        this.#queue.shift()
        this.#written = 0
      }
      return true
    } catch (error) {
      return this.#hasFailed((error as NodeJS.ErrnoException).code)
    }
  }

  /** After a failed write: false if it must be tried again. */
  #hasFailed(code: string | undefined): boolean {
    if (code === 'EAGAIN') return false
    // The reader of a FIFO has gone, and another may come. A descriptor's never does.
    if (code === 'EPIPE' && this.fd === undefined) {
      this.#isOpen = false
      this.#written = 0
      return false
    }
    this.#isBroken = true
    return true
  }
}
