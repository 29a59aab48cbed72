/** A simulated program's calls about its own process: for each, the checks of its arguments and its implementation. */

import {
  checkInt,
  checkList,
  checkMask,
  checkNumber,
  checkSignal,
  checkSignalOfSet,
  checkString,
  checkStringItem,
  invalidValue,
  outOfRange,
} from '../../system/arguments.ts'
import { constants } from '../../system/constants.ts'
import { resourceNumbers } from '../../system/resources.ts'
import { checkLimit } from '../../system/setting-arguments.ts'
import type { Signal } from '../../system/signals.ts'
import { simulatedHint } from '../base/simulated-hint.ts'
import * as own from '../calls/own-process.ts'
import { signalSetBytes, signalWord } from '../calls/syscall-arguments.ts'
import { nothing, returns, systemCall } from '../calls/table.ts'
import { execute } from '../processes/exec.ts'
import { forkProgram, newThread, vforkProgram } from '../processes/fork.ts'
import { joinThread } from '../processes/join-thread.ts'
import type { SignalAction } from '../processes/process.ts'
import type { Code, Task } from '../processes/task.ts'
import { traceMe } from '../processes/tracing.ts'

const limits: readonly own.Limit[] = ['nofile', 'core']
const maskChanges = ['block', 'unblock', 'set'] as const
/** The operations of sigprocmask(2). */
export type MaskChange = (typeof maskChanges)[number]

function checkOneOf<Name extends string>(value: Name, name: string, names: readonly Name[]): Name {
  if (!names.includes(value)) throw invalidValue(name, `must be one of '${names.join("', '")}'`, value)
  return value
}

function checkDuration(value: number, name: string): number {
  if (!(checkNumber(value, name) >= 0 && value <= 0x7fffffff)) throw outOfRange(name, '0 to 2147483647', value)
  return value
}

const none = () => []
const prSetDeathSignal = 1
/** CLONE_* of pthread_create(3). */
const threadFlags = 0x3d0f00
const FUTEX_WAIT_BITSET = 9
const FUTEX_CLOCK_REALTIME = 0x100
/** pthread_join(3) waits on the word that holds the thread's number until it ends. */
const joinWords = (tid: number) => [0, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, tid, 0, 0, -1]

/**
 * The calls, each by its method of SimulatedProcess, its name in C, its checks, its argument registers, and the
 * conversion of its result.
 */
export const ownCalls = {
  exit: systemCall(
    'exit',
    'exit_group',
    (code: number) => {
      checkInt(code, 'code')
      return task => own.exit(task, code)
    },
    ([code]) => [code],
    returns<never>(),
  ),
  exitThread: systemCall(
    'exitThread',
    'exit',
    (code: number) => {
      checkInt(code, 'code')
      return task => own.exitThread(task, code)
    },
    ([code]) => [code],
    returns<never>(),
  ),
  execve: systemCall(
    'execve',
    'execve',
    (path: string, argv: readonly string[], env: readonly string[]) => {
      checkString(path, 'path')
      const words = checkList(argv, () => 'argv', checkStringItem)
      const variables = checkList(env, () => 'env', checkStringItem)
      return task => execute(task, path, words, variables)
    },
    none,
    nothing,
    ([path]) => ({ path, hint: simulatedHint }),
  ),
  open: systemCall(
    'open',
    'open',
    (path: string, flags: number) => {
      checkString(path, 'path')
      const mask = checkMask(flags, 'flags')
      return task => own.open(task, path, mask)
    },
    ([, flags]) => [0, flags],
    returns<number>(),
    ([path]) => ({ path }),
  ),
  chdir: systemCall(
    'chdir',
    'chdir',
    (path: string) => {
      checkString(path, 'path')
      return task => own.changeDirectory(task, path)
    },
    none,
    nothing,
    ([path]) => ({ path }),
  ),
  traceme: systemCall(
    'traceme',
    'ptrace',
    () => traceMe,
    () => [constants.PTRACE_TRACEME],
    nothing,
  ),
  setsid: systemCall('setsid', 'setsid', () => own.newSession, none, returns<number>()),
  setpgid: systemCall(
    'setpgid',
    'setpgid',
    (pid: number, group: number) => {
      checkInt(pid, 'pid')
      checkInt(group, 'group')
      return task => own.setGroup(task, pid, group)
    },
    ([pid, group]) => [pid, group],
    nothing,
  ),
  setParentDeathSignal: systemCall(
    'setParentDeathSignal',
    'prctl',
    (signal: Signal | 0) => {
      const number = checkSignal(signal)
      return task => own.setDeathSignal(task, number)
    },
    ([signal]) => [prSetDeathSignal, signalWord(signal)],
    nothing,
  ),
  setLimit: systemCall(
    'setLimit',
    'setrlimit',
    (limit: own.Limit, value: number) => {
      checkOneOf(limit, 'limit', limits)
      const most = checkLimit(value, () => 'value')
      return task => own.setLimit(task, limit, most)
    },
    ([limit]) => [resourceNumbers[limit]],
    nothing,
  ),
  raise: systemCall(
    'raise',
    'tgkill',
    (signal: Signal) => {
      const number = checkSignal(signal)
      return task => own.raise(task, number)
    },
    ([signal], task) => [task.process.id, task.tid, signalWord(signal)],
    nothing,
  ),
  pause: systemCall('pause', 'pause', () => own.pause, none, returns<never>()),
  schedYield: systemCall('schedYield', 'sched_yield', () => () => 0, none, nothing),
  sleep: systemCall(
    'sleep',
    'nanosleep',
    (ms: number) => {
      checkDuration(ms, 'ms')
      return task => own.sleep(task, ms)
    },
    none,
    nothing,
  ),
  sigaction: systemCall(
    'sigaction',
    'rt_sigaction',
    (signal: number, action: SignalAction | null) => task => own.sigaction(task, signal, action),
    ([signal]) => [signal, 0, 0, signalSetBytes],
    returns<SignalAction>(),
  ),
  sigprocmask: systemCall(
    'sigprocmask',
    'rt_sigprocmask',
    (how: MaskChange, signals: readonly Signal[]) => {
      checkOneOf(how, 'how', maskChanges)
      const numbers = checkList(signals, () => 'signals', checkSignalOfSet)
      return task => own.sigprocmask(task, how, numbers)
    },
    ([how]) => [maskChanges.indexOf(how), 0, 0, signalSetBytes],
    returns<number[]>(),
  ),
  clone: systemCall(
    'thread',
    'clone',
    (code: Code) => task => newThread(task, code),
    () => [threadFlags],
    returns<number>(),
  ),
  forkProgram: systemCall('fork', 'fork', (code: Code) => task => forkProgram(task, code), none, returns<number>()),
  vforkProgram: systemCall('vfork', 'vfork', (code: Code) => task => vforkProgram(task, code), none, returns<number>()),
  join: systemCall(
    'join',
    'futex',
    (thread: Task) => task => joinThread(task, thread),
    ([{ tid }]) => joinWords(tid),
    nothing,
  ),
}
