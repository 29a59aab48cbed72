/** The buffers that a child program is flattened into: 32-bit words, and bytes. They grow, and are used again. */

import { outOfRange } from '../system/arguments.ts'
import { encodedList } from '../system/encoded-list.ts'

// The addon reads sizes as 32-bit numbers.
const mostBytes = 0x7fffffff

/** Longer lists are encoded in one go: a call of the encoder costs more than a few short strings do. */
const fewStrings = 4
const longestByHand = 60
/** Joined strings stay well below V8's maximum of 2^29 - 24 units. */
const mostJoinedUnits = 0x0fffffff

const utf8 = new TextEncoder()

export class ProgramBuffers {
  #words = new Int32Array(256)
  #bytes = new Uint8Array(4096)
  #wordCount = 0
  #byteCount = 0
  #stringCount = 0

  /** The words. Only those written since reset() are in use. */
  get words(): Int32Array {
    return this.#words
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  get byteCount(): number {
    return this.#byteCount
  }

  get stringCount(): number {
    return this.#stringCount
  }

  /** Begins a new program, after a header of `headerWords` words. */
  reset(headerWords: number): void {
    this.#wordCount = headerWords
    this.#byteCount = 0
    this.#stringCount = 0
  }

  /** Makes room for this many more words. */
  reserveWords(more: number): void {
    while (this.#wordCount + more > this.#words.length) this.#growWords()
  }

  /** Writes a word. */
  putWord(word: number): void {
    this.#words[this.#wordCount++] = word
  }

  /** Writes the length of the list, then its numbers. */
  putList(numbers: readonly number[]): void {
    while (this.#wordCount + numbers.length >= this.#words.length) this.#growWords()
    this.putWord(numbers.length)
    for (const number of numbers) this.putWord(number)
  }

  /** Writes bytes. */
  putBytes(data: Uint8Array): void {
    this.#makeRoom(data.length)
    // Fast path: most writes are one-byte notifications.
    if (data.length === 1) this.#bytes[this.#byteCount] = data[0]!
    else this.#bytes.set(data, this.#byteCount)
    this.#byteCount += data.length
  }

  /** Writes a string, ended by a NUL. */
  putString(text: string): void {
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

  /** Writes strings. */
  putStrings(list: readonly string[]): void {
    const encoded = encodedList(list)
    if (encoded !== undefined) {
      this.putBytes(encoded)
      this.#stringCount += list.length
      return
    }
    let units = list.length
    for (const text of list) units += text.length
    if (list.length <= fewStrings || units > mostJoinedUnits) {
      for (const text of list) this.putString(text)
      return
    }
    // No string contains a NUL, so each separator terminates one string.
    this.putString(list.join('\0'))
    this.#stringCount += list.length - 1
  }

  /** Writes the number of distinct non-negative descriptors, then those in ascending order. */
  putAscending(fds: readonly number[]): void {
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

function grown<T extends Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from)
  return into
}
