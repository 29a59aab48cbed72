/** A stopped tracee's registers, with those of its call. */

import type { RegisterName, Registers } from '../../system/registers.ts'
import { isExecStop } from '../processes/ptrace-stop.ts'
import type { StoppedCall, Task } from '../processes/task.ts'
import { resultOf, syscallOf } from './syscall-of.ts'

const argumentRegisters: Readonly<Record<'x64' | 'arm64', readonly RegisterName[]>> = {
  x64: ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'],
  arm64: ['x0', 'x1', 'x2', 'x3', 'x4', 'x5'],
}

const noCall = BigInt.asUintN(64, -1n)
/** -ENOSYS: the result register of x64 until the call returns. */
const unfinished = BigInt.asUintN(64, -38n)

/** The registers as a tracer sees them, until it sets some at this stop. */
export function registersOf(task: Task): Registers {
  const { stoppedCall, process } = task
  const registers = process.memory.registers(isExecStop(task))
  if (task.hasSetRegisters || isExecStop(task)) return registers
  if (stoppedCall === null) return { ...registers, ...(registers.architecture === 'x64' ? { orig_rax: noCall } : {}) }
  return { ...registers, ...registersOfCall(task, registers, stoppedCall) } as Registers
}

function registersOfCall(task: Task, { architecture }: Registers, { request, result }: StoppedCall): object {
  const { number, args } = syscallOf(task, request)
  const returned = result === undefined || isEvent(task) ? undefined : BigInt.asUintN(64, resultOf(request, result))
  // A program that has just begun has empty registers.
  const isNew = request.call.name === 'execve' && returned === 0n
  const names = argumentRegisters[architecture === 'arm64' ? 'arm64' : 'x64']
  const values = Object.fromEntries(names.map((name, i) => [name, isNew ? 0n : args[i]!]))
  if (architecture === 'arm64') {
    const x0 = returned === undefined ? {} : { x0: returned }
    return { ...values, x8: isNew ? 0n : BigInt(number), ...x0 }
  }
  return { ...values, orig_rax: BigInt.asUintN(64, BigInt(number)), rax: returned ?? unfinished }
}

/** Whether the stop is an event in the middle of the call, which has not returned then. */
function isEvent({ stopInfo }: Task): boolean {
  const event = (stopInfo?.origin.code ?? 0) >> 8
  return event > 0 && event < 0x80
}
