/** The state of a tracee, by ptrace(2) and process_vm_readv(2): event message, registers, signal mask, memory. */

import { constants } from '../../system/constants.ts'
import {
  type CheckedChanges,
  changeRegisters,
  decodeRegisters,
  encodeRegisters,
  type Registers,
} from '../../system/registers.ts'
import { type SignalName, signalName } from '../../system/signals.ts'
import { EINVAL, EIO, ESRCH } from '../base/results.ts'
import { SignalSet } from '../base/signal-set.ts'
import type { Task } from '../processes/task.ts'
import { findTask, stoppedTracee } from '../processes/tracing.ts'
import { registersOf } from './call-registers.ts'

/** PTRACE_GETEVENTMSG. */
export function eventMessage(task: Task, pid: number): number {
  return stoppedTracee(task, pid)?.eventMessage ?? -ESRCH
}

/** PTRACE_GETREGSET of the general registers, by their names. */
export function getRegisters(task: Task, pid: number): Registers | number {
  const tracee = stoppedTracee(task, pid)
  if (tracee === undefined) return -ESRCH
  return registersOf(tracee)
}

/** PTRACE_GETREGSET of any set. The simulated machine has general registers only. */
export function getRegisterSet(task: Task, tid: number, type: number): Uint8Array | number {
  const registers = getRegisters(task, tid)
  if (typeof registers === 'number') return registers
  return type === constants.NT_PRSTATUS ? encodeRegisters(registers) : -EINVAL
}

/** PTRACE_SETREGSET. Fewer bytes than the set has change its first registers. */
export function setRegisterSet(task: Task, tid: number, type: number, bytes: Uint8Array): number {
  const tracee = stoppedTracee(task, tid)
  if (tracee === undefined) return -ESRCH
  if (type !== constants.NT_PRSTATUS || bytes.length % 8 !== 0) return -EINVAL
  const all = encodeRegisters(registersOf(tracee))
  all.set(bytes.subarray(0, all.length))
  return change(tracee, decodeRegisters(all))
}

/** PTRACE_PEEKUSER and PTRACE_POKEUSER. The simulated machine has no such area, as arm64 has none. */
export function noUserArea(task: Task, tid: number): number {
  return stoppedTracee(task, tid) === undefined ? -ESRCH : -EIO
}

/** PTRACE_SETREGSET by names: 0, a negative errno, or the error if this tracee lacks such registers. */
export function setRegisters(task: Task, pid: number, changes: CheckedChanges): number | Error {
  const tracee = stoppedTracee(task, pid)
  if (tracee === undefined) return -ESRCH
  let changed: Registers
  try {
    changed = changeRegisters(registersOf(tracee), changes)
  } catch (error) {
    return error as Error
  }
  return change(tracee, changed)
}

function change(tracee: Task, registers: Registers): number {
  const result = tracee.process.memory.setRegisters(registers)
  if (result === 0) tracee.hasSetRegisters = true
  return result
}

/** PTRACE_GETSIGMASK. */
export function getMask(tracer: Task, tid: number): SignalName[] | number {
  const task = stoppedTracee(tracer, tid)
  return task === undefined ? -ESRCH : task.mask.toNumbers().map(signalName)
}

/** PTRACE_SETSIGMASK. */
export function setMask(tracer: Task, tid: number, signals: readonly number[]): number {
  const task = stoppedTracee(tracer, tid)
  if (task === undefined) return -ESRCH
  task.mask = SignalSet.mask(signals)
  return 0
}

/** process_vm_readv(2). */
export function readMemory(task: Task, pid: number, address: bigint, into: number | Uint8Array): Uint8Array | number {
  const target = findTask(task, pid)
  if (target === undefined || target.exiting) return -ESRCH
  const isLength = typeof into === 'number'
  const found = target.process.memory.read(address, isLength ? into : into.length)
  if (isLength || typeof found === 'number') return found
  into.set(found)
  return into.subarray(0, found.length)
}

/** process_vm_writev(2), or PTRACE_POKEDATA for pages that it may not write. */
export function writeMemory(task: Task, pid: number, address: bigint, data: Uint8Array): number {
  const target = findTask(task, pid)
  if (target === undefined || target.exiting) return -ESRCH
  return target.process.memory.write(address, data)
}
