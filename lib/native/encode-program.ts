/**
 * Flattens a child program for the addon. The 32-bit words are a header, then action by action. The bytes are the
 * actions' NUL-terminated strings and the data that they write, in order. src/program_builder.h reads both.
 */

import { checkSignal } from '../system/arguments.ts'
import { needsCopiedMemory } from '../system/check-child-program.ts'
import type { ChildAction, ChildProgram } from '../system/child-program.ts'
import { flagsOfNamespaces } from '../system/namespaces.ts'
import { resourceNumbers } from '../system/resources.ts'
import type { Signal } from '../system/signals.ts'
import { ProgramBuffers } from './program-buffers.ts'

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
  processGroup: 16,
  controllingTerminal: 17,
  foreground: 18,
  cgroup: 19,
  umask: 20,
  rlimits: 21,
  nice: 22,
  oomScoreAdj: 23,
  affinity: 24,
  aslr: 25,
  namespaces: 26,
  chroot: 27,
  groups: 28,
  gid: 29,
  uid: 30,
  tracer: 31,
  noNewPrivileges: 32,
  seccomp: 33,
} as const satisfies Record<ChildAction['op'], number>

// A core dump raised in shared memory kills the parent, too, on kernels before 5.16.
const coreDumping: readonly number[] = [3, 4, 5, 6, 7, 8, 11, 24, 25, 31]

// The most words of one action, besides lists.
const mostWords = 6

/** The header: the numbers of actions, bytes and strings. */
const headerWords = 3

/** A flattened program. The next one overwrites its buffers. */
export interface EncodedProgram {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly shared: boolean
  /** The clone(2) flags of the namespaces that the child starts in. */
  readonly cloneFlags: number
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

class Encoder extends ProgramBuffers {
  #shared = true

  encode(program: ChildProgram): EncodedProgram {
    this.reset(headerWords)
    this.#shared = program.memory !== 'copied'
    for (const action of program.actions) this.#put(action)
    const { words, bytes } = this
    words[0] = program.actions.length
    words[1] = this.byteCount
    words[2] = this.stringCount
    const cloneFlags = program.namespaces === undefined ? 0 : flagsOfNamespaces(program.namespaces)
    return { words, bytes, shared: this.#shared, cloneFlags }
  }

  #put(action: ChildAction): void {
    this.reserveWords(mostWords)
    this.putWord(opcodes[action.op])
    if (needsCopiedMemory(action.op)) this.#shared = false
    switch (action.op) {
      case 'traceme':
      case 'setsid':
      case 'foreground':
      case 'noNewPrivileges':
        break
      case 'write':
        this.putWord(action.fd)
        this.putWord(action.data.length)
        this.putBytes(action.data)
        break
      case 'read':
        this.putWord(action.fd)
        this.putWord(action.bytes)
        break
      case 'open':
        this.putWord(action.flags)
        this.putWord(action.mode ?? 0o666)
        this.putWord(action.target)
        this.putString(action.path)
        break
      case 'dup2':
        this.putWord(action.fd)
        this.putWord(action.target)
        break
      case 'setBlocking':
      case 'close':
      case 'controllingTerminal':
        this.putWord(action.fd)
        break
      case 'closeAllExcept':
        this.putAscending(action.fds)
        break
      case 'chdir':
      case 'chroot':
        this.putString(action.path)
        break
      case 'cgroup':
        this.putString(action.path)
        this.putString(`${action.path}/cgroup.procs`)
        break
      case 'parentDeathSignal':
        this.putWord(checkSignal(action.signal))
        this.putWord(action.parent ?? -1)
        break
      case 'processGroup':
        this.putWord(action.group)
        break
      case 'umask':
        this.putWord(action.mask)
        break
      case 'rlimits':
        this.putWord(resourceNumbers[action.resource])
        this.#putLimit(action.soft)
        this.#putLimit(action.hard)
        break
      case 'nice':
        this.putWord(action.nice)
        break
      case 'oomScoreAdj':
        this.putString(String(action.score))
        break
      case 'affinity': {
        const mask = cpuMask(action.cpus)
        this.putWord(mask.length)
        this.putBytes(mask)
        break
      }
      case 'aslr':
        this.putWord(Number(action.on))
        break
      case 'namespaces':
        this.putWord(flagsOfNamespaces(action.namespaces))
        break
      case 'groups':
        this.putWord(Number(action.optional ?? false))
        this.putList(action.groups)
        break
      case 'gid':
        this.putWord(action.gid)
        break
      case 'uid':
        this.putWord(action.uid)
        break
      case 'tracer':
        this.putWord(action.pid)
        break
      case 'seccomp':
        this.putWord(action.filter.length)
        this.putBytes(action.filter)
        break
      case 'raise': {
        const signal = checkSignal(action.signal)
        this.putWord(signal)
        if (coreDumping.includes(signal)) this.#shared = false
        break
      }
      case 'ignoreSignals':
      case 'signalMask':
        this.putWord(halfOfSet(action.signals, 1))
        this.putWord(halfOfSet(action.signals, 33))
        break
      case 'exit':
        this.putWord(action.code)
        break
      case 'execve':
        this.putWord(action.files.length)
        this.putWord(action.argv.length)
        this.putWord(action.env.length)
        this.putStrings(action.files)
        this.putStrings(action.argv)
        this.putStrings(action.env)
        break
      default:
        action satisfies never
    }
  }

  #putLimit(limit: number): void {
    // RLIM_INFINITY has all bits set.
    this.putWord(limit === Number.POSITIVE_INFINITY ? -1 : limit)
    this.putWord(limit === Number.POSITIVE_INFINITY ? -1 : Math.floor(limit / 2 ** 32))
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

/** A cpu_set_t: whole words of 64 bits, little-endian. */
function cpuMask(cpus: readonly number[]): Uint8Array {
  const mask = new Uint8Array(Math.max(0, ...cpus.map(cpu => Math.floor(cpu / 64) + 1)) * 8)
  for (const cpu of cpus) mask[cpu >> 3]! |= 1 << (cpu & 7)
  return mask
}
