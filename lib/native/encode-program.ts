/**
 * Flattens a child program for the addon. The 32-bit words are a header, then action by action. The bytes are the
 * actions' NUL-terminated strings and the data that they write, in order. src/fork.cpp reads both.
 */

import { checkSignal, outOfRange } from '../system/arguments.ts'
import type { ChildAction, ChildProgram } from '../system/child-program.ts'
import { encodedList } from '../system/encoded-list.ts'
import type { Signal } from '../system/signals.ts'

/** The numbers of the actions in src/child/program.h. */
export const opcodes = {
  traceme: 0,
  write: 1,
  read: 2,
  open: 3,
  dup2: 4,
  close: 5,
  closeAllExcept: 6,
  chdir: 7,
  setsid: 8,
  parentDeathSignal: 9,
  raise: 10,
  exit: 11,
  execve: 12,
  setBlocking: 13,
  ignoreSignals: 14,
  signalMask: 15,
} as const satisfies Record<ChildAction['op'], number>

// A core dump raised in shared memory kills the parent, too, on kernels before 5.16.
const coreDumping = new Set([3, 4, 5, 6, 7, 8, 11, 24, 25, 31])

// The addon reads sizes as 32-bit numbers.
const mostBytes = 0x7fffffff
// The most descriptors of one action that the encoding keeps apart.
const mostWords = 4

/** The header: the numbers of actions, bytes and strings. */
const headerWords = 3

/** Longer lists are encoded in one go: a call of the encoder costs more than a few short strings do. */
const fewStrings = 4
const longestByHand = 60
/** Joined strings stay well below V8's maximum of 2^29 - 24 units. */
const mostJoinedUnits = 0x0fffffff

const utf8 = new TextEncoder()

/** A flattened program. The next one overwrites its buffers. */
export interface EncodedProgram {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly shared: boolean
}

// Reused between programs: the addon copies everything before fork returns, and new buffers cost more than filling old.
let idle: Encoder | undefined

/** Flattens a program that checkChildProgram has copied, so that nothing can change it meanwhile. */
export function encodeProgram(program: ChildProgram): EncodedProgram {
  // Taken out while in use: a nested encoding would overwrite the same buffers.
  const encoder = idle ?? new Encoder()
  idle = undefined
  try {
    return encoder.encode(program)
  } finally {
    idle = encoder
  }
}

class Encoder {
  #words = new Int32Array(256)
  #bytes = new Uint8Array(4096)
  #wordCount = 0
  #byteCount = 0
  #stringCount = 0
  #shared = true

  encode(program: ChildProgram): EncodedProgram {
    this.#wordCount = headerWords
    this.#byteCount = 0
    this.#stringCount = 0
    this.#shared = program.memory !== 'copied'
    for (const action of program.actions) this.#put(action)
    const words = this.#words
    words[0] = program.actions.length
    words[1] = this.#byteCount
    words[2] = this.#stringCount
    return { words, bytes: this.#bytes, shared: this.#shared }
  }

  #put(action: ChildAction): void {
    if (this.#wordCount + mostWords > this.#words.length) this.#growWords()
    this.#putWord(opcodes[action.op])
    switch (action.op) {
      case 'traceme':
      case 'setsid':
        break
      case 'write':
        this.#putWord(action.fd)
        this.#putWord(action.data.length)
        this.#putBytes(action.data)
        break
      case 'read':
        this.#putWord(action.fd)
        this.#putWord(action.bytes)
        break
      case 'open':
        this.#putWord(action.flags)
        this.#putWord(action.mode ?? 0o666)
        this.#putWord(action.target)
        this.#putString(action.path)
        break
      case 'dup2':
        this.#putWord(action.fd)
        this.#putWord(action.target)
        break
      case 'setBlocking':
      case 'close':
        this.#putWord(action.fd)
        break
      case 'closeAllExcept':
        this.#putAscending(action.fds)
        break
      case 'chdir':
        this.#putString(action.path)
        break
      case 'parentDeathSignal':
        this.#putWord(checkSignal(action.signal))
        break
      case 'raise': {
        const signal = checkSignal(action.signal)
        this.#putWord(signal)
        if (coreDumping.has(signal)) this.#shared = false
        break
      }
      case 'ignoreSignals':
      case 'signalMask':
        this.#putWord(halfOfSet(action.signals, 1))
        this.#putWord(halfOfSet(action.signals, 33))
        break
      case 'exit':
        this.#putWord(action.code)
        break
      case 'execve':
        this.#putWord(action.files.length)
        this.#putWord(action.argv.length)
        this.#putWord(action.env.length)
        this.#putStrings(action.files)
        this.#putStrings(action.argv)
        this.#putStrings(action.env)
        break
      default:
        action satisfies never
    }
  }

  #putWord(word: number): void {
    this.#words[this.#wordCount++] = word
  }

  #putBytes(data: Uint8Array): void {
    this.#makeRoom(data.length)
    // Fast path: most writes are one-byte notifications.
    if (data.length === 1) this.#bytes[this.#byteCount] = data[0]!
    else this.#bytes.set(data, this.#byteCount)
    this.#byteCount += data.length
  }

  #putString(text: string): void {
    // A UTF-16 unit encodes to at most three bytes.
    this.#makeRoom(text.length * 3 + 1)
    const bytes = this.#bytes
    const start = this.#byteCount
    let end = start
    // Fast path for short ASCII strings, which are the most: a call of the encoder costs more.
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f || i > longestByHand) {
        end = start + utf8.encodeInto(text, bytes.subarray(start)).written
        break
      }
      bytes[end++] = unit
    }
    bytes[end] = 0
    this.#byteCount = end + 1
    this.#stringCount++
  }

  #putStrings(list: readonly string[]): void {
    const encoded = encodedList(list)
    if (encoded !== undefined) {
      this.#putBytes(encoded)
      this.#stringCount += list.length
      return
    }
    let units = list.length
    for (const text of list) units += text.length
    if (list.length <= fewStrings || units > mostJoinedUnits) {
      for (const text of list) this.#putString(text)
      return
    }
    // No string contains a NUL, so each separator terminates one string.
    this.#putString(list.join('\0'))
    this.#stringCount += list.length - 1
  }

  /** Writes the number of distinct non-negative descriptors, then those in ascending order. */
  #putAscending(fds: readonly number[]): void {
    while (this.#wordCount + fds.length >= this.#words.length) this.#growWords()
    const words = this.#words
    const first = this.#wordCount + 1
    let end = first
    for (const fd of fds) {
      if (fd < 0) continue
      let at = end
      while (at > first && words[at - 1]! > fd) at--
      if (at > first && words[at - 1] === fd) continue
      for (let from = end++; from > at; from--) words[from] = words[from - 1]!
      words[at] = fd
    }
    words[this.#wordCount] = end - first
    this.#wordCount = end
  }

  /** Makes room for this many more bytes. */
  #makeRoom(more: number): void {
    const most = this.#byteCount + more
    if (most > mostBytes) throw outOfRange('program', `at most ${mostBytes} bytes`, 'more')
    if (most > this.#bytes.length) this.#bytes = grown(this.#bytes, new Uint8Array(2 * most))
  }

  #growWords(): void {
    this.#words = grown(this.#words, new Int32Array(2 * this.#words.length))
  }
}

/** 32 bits of a signal set, starting at signal `first`. */
function halfOfSet(signals: readonly Signal[], first: number): number {
  let bits = 0
  for (const signal of signals) {
    const bit = checkSignal(signal) - first
    if (bit >= 0 && bit < 32) bits |= 1 << bit
  }
  return bits
}

function grown<T extends Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from)
  return into
}
