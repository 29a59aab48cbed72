/**
 * Flattens a child program for the addon: 32-bit words, action by action; the strings that the actions name, in their order, each ended
 * by a NUL; the bytes that they write, in their order. src/fork.cpp reads it.
 */

import { checkSignal } from '../system/arguments.ts'
import type { ChildAction, ChildProgram } from '../system/child-program.ts'

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
} as const satisfies Record<ChildAction['op'], number>

// Raised in shared memory, a core dump would take the parent along on kernels before 5.16.
const coreDumping = new Set([3, 4, 5, 6, 7, 8, 11, 24, 25, 31])

export interface EncodedProgram {
  readonly words: Int32Array
  readonly strings: Uint8Array
  readonly data: Uint8Array
  readonly stringCount: number
  /** How many actions take this process's own environment. */
  readonly ownEnvironments: number
  readonly shared: boolean
}

const noBytes = new Uint8Array(0)

/** Flattens a program that {@link checkChildProgram} has let through. */
export function encodeProgram(program: ChildProgram): EncodedProgram {
  const words: number[] = []
  const strings: string[] = []
  const data: Uint8Array[] = []
  let ownEnvironments = 0
  let shared = program.memory !== 'copied'

  for (const action of program.actions) {
    words.push(opcodes[action.op])
    switch (action.op) {
      case 'traceme':
      case 'setsid':
        break
      case 'write':
        words.push(action.fd, action.data.length)
        data.push(action.data)
        break
      case 'read':
        words.push(action.fd, action.bytes)
        break
      case 'open':
        words.push(action.flags | 0, (action.mode ?? 0o666) | 0, action.target)
        strings.push(action.path)
        break
      case 'dup2':
        words.push(action.fd, action.target)
        break
      case 'close':
        words.push(action.fd)
        break
      case 'closeAllExcept': {
        const kept = [...new Set(action.fds)].filter(fd => fd >= 0).sort((a, b) => a - b)
        words.push(kept.length, ...kept)
        break
      }
      case 'chdir':
        strings.push(action.path)
        break
      case 'parentDeathSignal':
        words.push(checkSignal(action.signal))
        break
      case 'raise': {
        const signal = checkSignal(action.signal)
        words.push(signal)
        if (coreDumping.has(signal)) shared = false
        break
      }
      case 'exit':
        words.push(action.code)
        break
      case 'execve':
        words.push(action.files.length, action.argv.length, action.env?.length ?? -1)
        if (action.env === undefined) ownEnvironments++
        for (const list of [action.files, action.argv, action.env ?? []]) for (const text of list) strings.push(text)
        break
    }
  }

  return {
    words: Int32Array.from(words),
    strings: strings.length === 0 ? noBytes : Buffer.from(`${strings.join('\0')}\0`),
    data: data.length === 0 ? noBytes : data.length === 1 ? data[0]! : Buffer.concat(data),
    stringCount: strings.length,
    ownEnvironments,
    shared,
  }
}
