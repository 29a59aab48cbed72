/**
 * Flattens a child program for the addon: 32-bit words, a header and then action by action; the strings that the actions name, each ended
 * by a NUL, and the bytes that they write, in their order. src/fork.cpp reads it.
 */

import { isMainThread } from 'node:worker_threads'
import { checkSignal, outOfRange } from '../system/arguments.ts'
import type { ChildAction, ChildProgram } from '../system/child-program.ts'
import { environmentIsShared } from './runtime.ts'

// The numbers are those of src/child/program.h.
const opcodes = {
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
} as const satisfies Record<ChildAction['op'], number>

// Raised in shared memory, a core dump would take the parent along on kernels before 5.16.
const coreDumping = new Set([3, 4, 5, 6, 7, 8, 11, 24, 25, 31])

// The addon reads sizes as 32-bit numbers.
const mostBytes = 0x7fffffff
// Of one action, the descriptors that it keeps apart.
const mostWords = 4

/** The header: how many actions, bytes and strings there are, and how many actions take this process's own environment. */
const headerWords = 4

// Kept from one program to the next: the addon has copied everything when fork returns, and a new buffer costs more than filling it.
let words = new Int32Array(256)
let bytes = new Uint8Array(4096)
let byteCount = 0
let stringCount = 0
const utf8 = new TextEncoder()

/** A flattened program, in buffers that the next one will overwrite. */
export interface EncodedProgram {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly shared: boolean
}

/** Flattens a program that checkChildProgram has copied: nobody else can change it meanwhile. */
export function encodeProgram(program: ChildProgram): EncodedProgram {
  byteCount = 0
  stringCount = 0
  let count = headerWords
  let ownEnvironments = 0
  let shared = program.memory !== 'copied'
  let env: readonly string[] | undefined

  for (const action of program.actions) {
    if (count + mostWords > words.length) words = grown(words, new Int32Array(2 * words.length))
    words[count++] = opcodes[action.op]
    switch (action.op) {
      case 'traceme':
      case 'setsid':
        break
      case 'write':
        words[count++] = action.fd
        words[count++] = action.data.length
        putBytes(action.data)
        break
      case 'read':
        words[count++] = action.fd
        words[count++] = action.bytes
        break
      case 'open':
        words[count++] = action.flags
        words[count++] = action.mode ?? 0o666
        words[count++] = action.target
        putString(action.path)
        break
      case 'dup2':
        words[count++] = action.fd
        words[count++] = action.target
        break
      case 'setBlocking':
      case 'close':
        words[count++] = action.fd
        break
      case 'closeAllExcept':
        count = putAscending(action.fds, count)
        break
      case 'chdir':
        putString(action.path)
        break
      case 'parentDeathSignal':
        words[count++] = checkSignal(action.signal)
        break
      case 'raise': {
        const signal = checkSignal(action.signal)
        words[count++] = signal
        if (coreDumping.has(signal)) shared = false
        break
      }
      case 'exit':
        words[count++] = action.code
        break
      case 'execve':
        env = action.env ?? threadEnvironment()
        words[count++] = action.files.length
        words[count++] = action.argv.length
        words[count++] = env?.length ?? -1
        if (env === undefined) ownEnvironments++
        for (const text of action.files) putString(text)
        for (const text of action.argv) putString(text)
        if (env !== undefined) for (const text of env) putString(text)
        break
      default:
        action satisfies never
    }
  }
  words[0] = program.actions.length
  words[1] = byteCount
  words[2] = stringCount
  words[3] = ownEnvironments
  return { words, bytes, shared }
}

/** Room for so many more bytes. */
function makeRoom(more: number): void {
  const most = byteCount + more
  if (most > mostBytes) throw outOfRange('program', `at most ${mostBytes} bytes`, 'more')
  if (most > bytes.length) bytes = grown(bytes, new Uint8Array(2 * most))
}

function putBytes(data: Uint8Array): void {
  makeRoom(data.length)
  // By hand, as most are a notification.
  if (data.length === 1) bytes[byteCount] = data[0]!
  else bytes.set(data, byteCount)
  byteCount += data.length
}

/** The environment of a worker, which is its own; undefined in the main thread, whose is the process's and is copied natively, which is quicker. */
function threadEnvironment(): string[] | undefined {
  return isMainThread && environmentIsShared
    ? undefined
    : Object.entries(process.env).map(([key, value]) => `${key}=${value}`)
}

function putString(text: string): void {
  // No string of JavaScript takes more than three bytes a unit.
  makeRoom(text.length * 3 + 1)
  let end = byteCount
  // By hand, as most are short and plain: the encoder's call costs more than they do.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) {
      end = byteCount + utf8.encodeInto(text, bytes.subarray(byteCount)).written
      break
    }
    bytes[end++] = unit
  }
  bytes[end] = 0
  byteCount = end + 1
  stringCount++
}

/** Writes at `start` how many descriptors can be open, then these in order, each once; where the next word goes. */
function putAscending(fds: readonly number[], start: number): number {
  while (start + fds.length >= words.length) words = grown(words, new Int32Array(2 * words.length))
  const first = start + 1
  let end = first
  for (const fd of fds) {
    if (fd < 0) continue
    let at = end
    while (at > first && words[at - 1]! > fd) at--
    if (at > first && words[at - 1] === fd) continue
    for (let from = end++; from > at; from--) words[from] = words[from - 1]!
    words[at] = fd
  }
  words[start] = end - first
  return end
}

function grown<T extends Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from)
  return into
}
