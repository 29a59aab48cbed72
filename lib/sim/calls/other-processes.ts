/** System calls about other processes: kill(2), and ptrace(2)'s access to a tracee. */

import { constants } from '../../system/constants.ts'
import {
  type CheckedChanges,
  changeRegisters,
  decodeRegisters,
  encodeRegisters,
  type Registers,
} from '../../system/registers.ts'
import { EINVAL, EIO, EPERM, ESRCH } from '../base/results.ts'
import { isValidSignal } from '../base/signal-numbers.ts'
import { fromThread, fromUser, type SignalOrigin } from '../processes/pending-signals.ts'
import type { Process } from '../processes/process.ts'
import { isExecStop } from '../processes/ptrace-stop.ts'
import { originOf, sendToProcess, sendToTask } from '../processes/signals.ts'
import type { Task } from '../processes/task.ts'
import { findTask, stoppedTracee } from '../processes/tracing.ts'

/** kill(2): a process, the caller's group (0), all processes (-1), or a group by its negative number. */
export function kill(task: Task, pid: number, signal: number): number {
  const { kernel } = task
  if (pid === -0x80000000) return -ESRCH
  const targets = signalTargets(task, pid)
  if (pid <= 0) kernel.trace.groupsUsed?.()
  if (pid <= 0 || targets.length === 0) kernel.trace.numbersUsed?.()
  for (const target of targets) kernel.trace.waitStateUsed?.(target)
  if (targets.length === 0) return -ESRCH
  if (!isValidSignal(signal)) return -EINVAL
  // init and the shell belong to another user.
  const ours = targets.filter(target => target !== kernel.init && target !== kernel.shell)
  if (ours.length === 0) return -EPERM
  for (const target of ours) sendToProcess(target, signal, originOf(task, fromUser))
  return 0
}

/** tgkill(2): a signal for one thread of a process. */
export function tgkill(task: Task, pid: number, tid: number, signal: number): number {
  return signalThread(task, pid, tid, signal, originOf(task, fromThread))
}

/** A signal for one thread of a process, as tgkill(2) and rt_tgsigqueueinfo(2) send it. */
export function signalThread(task: Task, pid: number, tid: number, signal: number, origin: SignalOrigin): number {
  const { kernel } = task
  if (pid <= 0 || tid <= 0) return -EINVAL
  const target = kernel.tasks.get(tid)
  if (target === undefined) kernel.trace.numbersUsed?.()
  else kernel.trace.waitStateUsed?.(target.process)
  if (target?.process.id !== pid) return -ESRCH
  if (!isValidSignal(signal)) return -EINVAL
  // init and the shell belong to another user.
  if (target.process === kernel.init || target.process === kernel.shell) return -EPERM
  sendToTask(target, signal, origin)
  return 0
}

function signalTargets(task: Task, pid: number): Process[] {
  const { processes, tasks } = task.kernel
  if (pid > 0) {
    const target = tasks.get(pid)?.process
    return target === undefined ? [] : [target]
  }
  if (pid === -1) return [...processes.values()].filter(target => target !== task.process)
  const group = pid === 0 ? task.process.group : -pid
  return [...processes.values()].filter(target => target.group === group)
}

/** PTRACE_GETEVENTMSG. */
export function eventMessage(task: Task, pid: number): number {
  return stoppedTracee(task, pid)?.eventMessage ?? -ESRCH
}

/** PTRACE_GETREGSET. */
export function getRegisters(task: Task, pid: number): Registers | number {
  const tracee = stoppedTracee(task, pid)
  if (tracee === undefined) return -ESRCH
  return tracee.process.memory.registers(isExecStop(tracee))
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
  const all = encodeRegisters(tracee.process.memory.registers(false))
  all.set(bytes.subarray(0, all.length))
  return tracee.process.memory.setRegisters(decodeRegisters(all))
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
    changed = changeRegisters(tracee.process.memory.registers(false), changes)
  } catch (error) {
    return error as Error
  }
  return tracee.process.memory.setRegisters(changed)
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
