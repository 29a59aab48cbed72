/** Stops and ends as short texts. */

import { signalName } from '../../system/signals.ts'
import { decodeWaitStatus } from '../../system/wait-status.ts'
import type { Task } from '../processes/task.ts'

/** 'stops: SIGSTOP', 'stops at exec', 'stops at a system call'. */
export function describeStop(task: Task, code: number, traced: boolean): string {
  const event = code >> 8
  const signal = signalName(code & 0x7f)
  if (!traced) return `stopped by ${signal}`
  if (event !== 0) {
    // The code is a wait status without its low byte, which marks a stop.
    const status = decodeWaitStatus((code << 8) | 0x7f)
    const name = status.kind === 'stopped' ? status.event : undefined
    return name === 'stop' ? `stops (${signal})` : `stops at ${name}`
  }
  const atCall = task.stopInfo?.origin.code === code && task.trace?.resume === 'syscall'
  return atCall ? 'stops at a system call' : `stops: ${signal}`
}

/** 'exits with 0', 'killed by SIGKILL'. */
export function describeExit(status: number): string {
  const signal = status & 0x7f
  return signal === 0 ? `exits with ${(status >> 8) & 0xff}` : `killed by ${signalName(signal)}`
}
