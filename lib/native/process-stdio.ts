/**
 * The process's descriptors 0 to 2 as those of a simulated world's host, read and written by system calls.
 *
 * Node's streams would take all output and keep it in memory, report its errors too late for the write that has them,
 * read ahead of the program, and make a pipe non-blocking for every process that has it open.
 */

import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { InputFile, OutputFile, StandardFiles } from '../system/simulated-system.ts'
import { streamedInput } from './streamed-input.ts'

// Saved at load, so that a test that replaces the global timers does not stop a program that waits.
const { setTimeout, clearTimeout } = globalThis
// Loaded at its first use: it loads node:net and node:stream.
const isTerminalFile = (fd: number): boolean => process.getBuiltinModule('node:tty').isatty(fd)
const { O_NOCTTY, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** /dev/ptmx, 5:2. To open it is to make a new terminal. */
const terminalMultiplexer = 0x502

/**
 * Uses a descriptor by a file of this process's own, opened for this call so that it does not block. Undefined if the
 * descriptor's file cannot be opened so: a socket, a terminal of another user, a machine without /proc.
 *
 * O_NONBLOCK on the descriptor itself would be seen by every process that shares it.
 */
function withoutBlocking<T>(fd: number, access: number, use: (own: number) => T): T | undefined {
  let own: number
  try {
    own = openSync(`/proc/self/fd/${fd}`, access | O_NONBLOCK | O_NOCTTY)
  } catch {
    return undefined
  }
  try {
    return use(own)
  } finally {
    closeSync(own)
  }
}

/** How a call on a descriptor can be kept from blocking. A descriptor can be redirected at any time. */
function kindOf(fd: number): 'never blocks' | 'opens' | 'socket' {
  const stat = fstatSync(fd)
  if (stat.isSocket()) return 'socket'
  const isTerminal = stat.isCharacterDevice() && stat.rdev !== terminalMultiplexer && isTerminalFile(fd)
  return stat.isFIFO() || isTerminal ? 'opens' : 'never blocks'
}

/** Tries again after a while, longer from time to time until there is progress: no event tells of a descriptor. */
class Retries {
  readonly #longestMs = 32
  #pauseMs = 1

  progressed(): void {
    this.#pauseMs = 1
  }

  watch(changed: () => void): () => void {
    const timer = setTimeout(changed, this.#pauseMs)
    this.#pauseMs = Math.min(this.#longestMs, this.#pauseMs * 2)
    return () => clearTimeout(timer)
  }
}

/** Standard input. A socket is read by Node's stream: a read of it could block the thread. */
function standardInput(): InputFile {
  const retries = new Retries()
  let streamed: InputFile | undefined
  const stream = () => {
    streamed ??= streamedInput()
    return streamed
  }
  return {
    get changesWhileBlocked() {
      return streamed === undefined
    },
    read(buffer) {
      if (streamed !== undefined) return streamed.read(buffer)
      const kind = kindOf(0)
      if (kind === 'socket') return stream().read(buffer)
      const bytes = kind === 'opens' ? withoutBlocking(0, O_RDONLY, own => readSync(own, buffer)) : readSync(0, buffer)
      if (bytes === undefined) return stream().read(buffer)
      retries.progressed()
      return bytes
    },
    watch: changed => (streamed ?? retries).watch(changed),
  }
}

/** Standard output or error. What cannot be opened anew blocks the thread, as it blocks any program. */
function standardOutput(fd: 1 | 2): OutputFile {
  const retries = new Retries()
  return {
    changesWhileBlocked: true,
    write(data) {
      const own = kindOf(fd) === 'opens' ? withoutBlocking(fd, O_WRONLY, file => writeSync(file, data)) : undefined
      const bytes = own ?? writeSync(fd, data)
      retries.progressed()
      return bytes
    },
    watch: changed => retries.watch(changed),
  }
}

/** The three files. */
export function processStdio(): StandardFiles {
  return { 0: standardInput(), 1: standardOutput(1), 2: standardOutput(2) }
}
