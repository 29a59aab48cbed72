/** What Linux has in the registers of a call: its number, its arguments and its result. */

import { blocked, isFailure, isRestart, restartUnlessHandled } from '../base/results.ts'
import { SIGCHLD } from '../base/signal-numbers.ts'
import type { Request, Task, Word } from '../processes/task.ts'
import { AT_FDCWD, childWordsOf, signalSetBytes } from './syscall-arguments.ts'
import { syscallNumberOf } from './syscall-numbers.ts'

/** A call as its registers have it. */
interface Syscall {
  readonly number: number
  /** Six unsigned registers. */
  readonly args: bigint[]
}

type Form = readonly [name: string, words: readonly Word[]]

/** CLONE_VM | CLONE_VFORK | SIGCHLD. */
const vforkFlags = 0x4111

/** Calls whose names in C are functions of the C library, with the calls that those make. */
const forms: Readonly<Record<string, (words: readonly Word[]) => Form>> = {
  send: words => ['sendto', words],
  recv: words => ['recvfrom', words],
  waitpid: words => ['wait4', words],
  openpty: words => formOf('open', words),
}

/** The same for the older calls that arm64 never had. */
const newerForms: typeof forms = {
  fork: () => ['clone', [SIGCHLD]],
  vfork: () => ['clone', [vforkFlags]],
  open: words => ['openat', [AT_FDCWD, ...words]],
  poll: ([fds, count]) => ['ppoll', [fds, count, 0, 0, signalSetBytes]],
  epoll_wait: words => ['epoll_pwait', words],
  pause: () => ['ppoll', [0, 0, 0, 0, signalSetBytes]],
}

function formOf(name: string, words: readonly Word[]): Form {
  const isMissing = syscallNumberOf(name) < 0
  return forms[name]?.(words) ?? (isMissing ? newerForms[name]?.(words) : undefined) ?? [name, words]
}

/** The number and the arguments of a call that a task makes. */
export function syscallOf(task: Task, { call, args, isRestarted }: Request): Syscall {
  const words = (call.words ?? childWordsOf(call.name))?.(args, task) ?? []
  // The end of a main program is exit_group(2), that of a thread's exit(2).
  const isEnd = call.name === 'exit' && call.method === undefined && task.isLeader
  const [name, registers] = formOf(isEnd ? 'exit_group' : call.name, words)
  const number = syscallNumberOf(isRestarted === true && restarts(name) ? 'restart_syscall' : name)
  return { number, args: Array.from({ length: 6 }, (_, i) => asRegister(registers[i])) }
}

/** Of those that wait for a time, these go on by restart_syscall(2); the others are made anew. */
const restarts = (name: string) => name === 'nanosleep' || name === 'poll'

/** A C int is in the lower half of its register. */
function asRegister(word: Word): bigint {
  if (word === undefined || !Number.isInteger(word)) return 0n
  return word < 0 ? BigInt.asUintN(32, BigInt(word)) : BigInt(word)
}

/** ERESTARTNOHAND, of a call that is made anew unless a handler runs. */
const restartNoHandler = -514

/** What a call has returned, in the form of the kernel: a number, negative for an errno. */
export function resultOf(request: Request, result: unknown): bigint {
  if (result === restartUnlessHandled && !restarts(formOf(request.call.name, [])[0])) return BigInt(restartNoHandler)
  return BigInt(numberOf(request.call.method, result))
}

/** Calls of ptrace(2) whose result is not what its method returns. */
const isRequest = (method: string | undefined) => method?.startsWith('ptrace') === true

function numberOf(method: string | undefined, result: unknown): number {
  if (isFailure(result) || isRestart(result)) return result as number
  if (method === 'poll') return (result as number[]).filter(events => events !== 0).length
  if (method === 'epollWait' || method === 'ptracePeekSigInfo') return (result as unknown[]).length
  if (isRequest(method)) return 0
  if (method === 'waitpid') return (result as { readonly pid: number } | null)?.pid ?? 0
  if (method === 'recvmsg') return (result as { readonly bytes: number }).bytes
  if (method === 'readMemory') return (result as Uint8Array).length
  return Number.isSafeInteger(result) && result !== blocked ? (result as number) : 0
}
