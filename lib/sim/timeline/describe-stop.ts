/** Stops and ends as short texts. */

import { constants } from '../../system/constants.ts'
import { signalName } from '../../system/signals.ts'
import type { Task } from '../processes/task.ts'

const eventNames = new Map<number, string>([
  [constants.PTRACE_EVENT_FORK, 'fork'],
  [constants.PTRACE_EVENT_VFORK, 'vfork'],
  [constants.PTRACE_EVENT_CLONE, 'clone'],
  [constants.PTRACE_EVENT_EXEC, 'exec'],
  [constants.PTRACE_EVENT_EXIT, 'exit'],
  [constants.PTRACE_EVENT_STOP, 'stop'],
])

/** 'stops: SIGSTOP', 'stops at exec', 'stops at a system call'. */
export function describeStop(task: Task, code: number, traced: boolean): string {
  const event = code >> 8
  const signal = signalName(code & 0x7f)
  if (!traced) return `stopped by ${signal}`
  if (event !== 0)
    return event === constants.PTRACE_EVENT_STOP ? `stops (${signal})` : `stops at ${eventNames.get(event)}`
  const atCall = task.stopSignal?.origin.code === code && task.trace?.resume === 'syscall'
  return atCall ? 'stops at a system call' : `stops: ${signal}`
}

/** 'exits with 0', 'killed by SIGKILL'. */
export function describeExit(status: number): string {
  const signal = status & 0x7f
  return signal === 0 ? `exits with ${(status >> 8) & 0xff}` : `killed by ${signalName(signal)}`
}
