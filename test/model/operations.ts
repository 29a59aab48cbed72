/** The operations of random programs: system calls as data, with slots in place of numbers. */

import type { constants } from '../../lib/system/constants.ts'
import type { Signal } from '../../lib/system/signals.ts'

/** The name of a descriptor ('f3') or of a child ('c0'); its number differs between worlds. */
export type Slot = string

/**
 * A descriptor in an operation: a slot, which keeps its number after a close; '+5', the number five above the program's
 * first; or a number that no program gets, such as -1.
 */
export type Fd = Slot | number

/** A name in `constants`, so that a printed program is readable. */
export type ConstantName = keyof typeof constants

/** A step of a child, as ChildAction, with slots for descriptors and byte counts for data. */
export type ChildStep =
  | { readonly op: 'traceme' | 'setsid' }
  | { readonly op: 'write' | 'read'; readonly fd: Fd; readonly bytes: number }
  | { readonly op: 'dup2'; readonly fd: Fd; readonly target: Fd }
  | { readonly op: 'close'; readonly fd: Fd }
  | { readonly op: 'closeAllExcept'; readonly fds: readonly Fd[] }
  | { readonly op: 'chdir'; readonly path: string }
  | { readonly op: 'raise'; readonly signal: Signal }
  | { readonly op: 'parentDeathSignal'; readonly signal: Signal | 0 }
  | { readonly op: 'exit'; readonly code: number }
  | { readonly op: 'script'; readonly script: string; readonly gates: readonly Fd[] }
  | { readonly op: 'execve'; readonly files: readonly string[]; readonly argv: readonly string[] }

/** ptrace(2)'s requests, named as System's methods without their prefix. */
export type TraceRequest =
  | { readonly request: 'Cont' | 'Step' | 'Syscall' | 'Detach'; readonly signal?: Signal }
  | { readonly request: 'Seize' | 'SetOptions'; readonly options: number }
  | {
      readonly request:
        | 'Attach'
        | 'Interrupt'
        | 'Listen'
        | 'GetEventMessage'
        | 'GetSigInfo'
        | 'GetRegisters'
        | 'GetSigMask'
    }
  | { readonly request: 'PeekSigInfo'; readonly shared: boolean }
  | { readonly request: 'SetSigMask'; readonly signals: readonly Signal[] }

/** One system call. `to` names the slots for the descriptors it returns. */
export type Operation =
  | { readonly op: 'pipe2'; readonly to: readonly Slot[]; readonly flags: number }
  | {
      readonly op: 'socketpair'
      readonly to: readonly Slot[]
      readonly domain: number
      readonly type: number
      readonly protocol: number
    }
  | { readonly op: 'read'; readonly fd: Fd; readonly bytes: number; readonly times?: number }
  | { readonly op: 'write'; readonly fd: Fd; readonly bytes: number; readonly times?: number }
  | { readonly op: 'send' | 'recv'; readonly fd: Fd; readonly bytes: number; readonly flags: number }
  | {
      readonly op: 'sendmsg'
      readonly fd: Fd
      readonly bytes: number
      readonly fds: readonly Fd[]
      readonly flags: number
    }
  | {
      readonly op: 'recvmsg'
      readonly fd: Fd
      readonly bytes: number
      readonly to: readonly Slot[]
      readonly flags: number
    }
  | { readonly op: 'shutdown'; readonly fd: Fd; readonly how: number }
  | { readonly op: 'close'; readonly fd: Fd }
  | { readonly op: 'dup'; readonly fd: Fd; readonly to: readonly Slot[] }
  | { readonly op: 'dup3'; readonly fd: Fd; readonly target: Fd; readonly to: readonly Slot[]; readonly flags: number }
  | {
      readonly op: 'fcntl'
      readonly fd: Fd
      readonly command: ConstantName | number
      /** A number, or '+5' as in a descriptor. */
      readonly argument: Fd
      readonly to?: readonly Slot[]
    }
  | { readonly op: 'getsockopt'; readonly fd: Fd; readonly level: number; readonly option: ConstantName | number }
  | {
      readonly op: 'setsockopt'
      readonly fd: Fd
      readonly level: number
      readonly option: ConstantName | number
      readonly value: number
    }
  | { readonly op: 'bytesReadable'; readonly fd: Fd }
  | { readonly op: 'poll'; readonly fds: readonly { readonly fd: Fd; readonly events: number }[] }
  | { readonly op: 'epollCreate1'; readonly to: readonly Slot[]; readonly flags: number }
  | {
      readonly op: 'epollCtl'
      readonly epoll: Fd
      readonly control: ConstantName | number
      readonly fd: Fd
      readonly events?: number
      readonly data?: number
    }
  | { readonly op: 'epollWait'; readonly epoll: Fd; readonly most: number }
  | { readonly op: 'fork'; readonly child: Slot; readonly steps: readonly ChildStep[]; readonly report?: Fd }
  | { readonly op: 'waitpid'; readonly child: Slot | number; readonly options: number }
  | { readonly op: 'kill'; readonly child: Slot | number; readonly signal: Signal; readonly group?: boolean }
  | { readonly op: 'letIn'; readonly gate: Fd }
  | { readonly op: 'waitid'; readonly child: Slot; readonly options: number }
  | { readonly op: 'tgkill'; readonly child: Slot; readonly signal: Signal }
  | { readonly op: 'tgsigqueueinfo'; readonly child: Slot; readonly signal: Signal; readonly value: number }
  | ({ readonly op: 'ptrace'; readonly child: Slot | number } & TraceRequest)

/** A random program. */
export interface Program {
  /** Omits poll from the sweep after each operation: a poll changes a pipe's wake-ups and empties an epoll's list. */
  readonly quiet: boolean
  readonly operations: readonly Operation[]
}

/** The program as text for `npm run model -- --replay`, one operation per line. */
export function printProgram(program: Program): string {
  const lines = program.operations.map(operation => `    ${JSON.stringify(operation)}`)
  return `{\n  "quiet": ${program.quiet},\n  "operations": [\n${lines.join(',\n')}\n  ]\n}`
}

/** Parses the output of {@link printProgram}. */
export function parseProgram(text: string): Program {
  return JSON.parse(text) as Program
}
