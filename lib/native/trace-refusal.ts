/** Explains refused ptrace requests, in the order of the kernel's checks: a sentence, or undefined if nothing fits. */

import {
  capSysPtrace,
  contentOf,
  hasOwnProc,
  isDumpable,
  isKernelThread,
  isOwnThread,
  ownThread,
  sigkillPending,
  statusOf,
  yamaScope,
} from './proc.ts'

type Status = ReadonlyMap<string, string>

const hasEnded = 'it has ended, and waits to be reaped'
const isBeingKilled = 'it is being killed'
const asTraceme = "trace: 'traceme' still works"
const anotherThread = 'it belongs to another thread of this process, the one that launched it or attached to it'

/** Why PTRACE_SEIZE or PTRACE_ATTACH was refused. */
export function whyNotAttached(pid: number): string | undefined {
  const status = statusOf(pid)
  if (status === undefined) return undefined
  if (status.get('Tgid') === String(process.pid))
    return `a process cannot trace itself, and ${pid} is a thread of this one`
  if (isKernelThread(pid)) return 'it is a thread of the kernel'
  if (isDead(status)) return hasEnded
  return (
    tracedBy(status, pid) ?? notPermitted(status, pid) ?? yamaHint() ?? (isKilled(status) ? isBeingKilled : undefined)
  )
}

/** Why PTRACE_TRACEME was refused to a child of this process. */
export function whyNoTraceme(): string | undefined {
  const tracer = statusOf('self')?.get('TracerPid') ?? '0'
  if (tracer !== '0') return `process ${tracer}${nameOf(tracer)} traces this process, and its children`
  return yamaScope() === '1' ? undefined : yamaHint()
}

/** Why any other request failed with ESRCH although the task exists. */
export function whyNoRequest(pid: number): string | undefined {
  const status = statusOf(pid)
  if (status === undefined) return undefined
  if (isDead(status)) return hasEnded
  const tracer = status.get('TracerPid') ?? '0'
  if (tracer === '0') return isKilled(status) ? isBeingKilled : 'it is not traced'
  if (tracer !== ownThread()) {
    if (isOwnThread(tracer)) return anotherThread
    return `process ${tracer}${nameOf(tracer)} traces it`
  }
  if (isKilled(status)) return isBeingKilled
  return isStopped(status) ? 'it was running, or listens in its group stop' : 'it is not stopped'
}

/** Why a tracee's memory may not be read or written: the kernel checks the tracer's rights again at each access. */
export function whyNoMemory(pid: number): string | undefined {
  const status = statusOf(pid)
  return status === undefined ? undefined : notPermitted(status, pid)
}

/** Why a process that exists has no memory left, by the ESRCH of an access. */
export function whyMemoryIsGone(pid: number): string | undefined {
  const status = statusOf(pid)
  if (status === undefined) return undefined
  return isDead(status) ? hasEnded : isBeingKilled
}

/** A sentence about the tracer of a process; undefined for an untraced one. */
export function whoTraces(pid: number): string | undefined {
  const status = statusOf(pid)
  return status === undefined ? undefined : tracedBy(status, pid)
}

const foreignChild =
  'it is a child of this process that System.fork has not started: other code, perhaps node:child_process, ' +
  'waits for it and would take its stops'

/**
 * Why not to attach to a child of this process that System.fork did not make; undefined for other processes. `isChild`
 * asks the kernel: needed where /proc is that of another pid namespace.
 */
export function foreignChildHint(pid: number, isChild: () => boolean): string | undefined {
  if (!hasOwnProc()) return isChild() ? foreignChild : undefined
  const status = statusOf(pid)
  // Only the tracer sees the stops of a child's other threads.
  if (status?.get('PPid') !== String(process.pid) || status.get('Tgid') !== String(pid)) return undefined
  if (isDead(status)) return hasEnded
  const traced = tracedBy(status, pid)
  if (traced !== undefined) return traced
  return foreignChild
}

function tracedBy(status: Status, pid: number): string | undefined {
  const tracer = status.get('TracerPid') ?? '0'
  if (tracer === '0') return undefined
  if (tracer === ownThread()) return `this process traces ${pid} already`
  if (isOwnThread(tracer)) return anotherThread
  return `process ${tracer}${nameOf(tracer)} traces it already`
}

/** The order of ptrace(2), "Ptrace access mode checking": users, memory, capabilities. */
function notPermitted(status: Status, pid: number): string | undefined {
  const own = statusOf('self')
  if (own === undefined || (mask(own, 'CapEff') & capSysPtrace) !== 0n) return undefined
  const user = own.get('Uid')?.split('\t')[0]
  const group = own.get('Gid')?.split('\t')[0]
  const other = idsOf(status, 'Uid').find(id => id !== user)
  if (other !== undefined) {
    if (isAlike(status, own, 'Uid')) return changedAlike('user')
    return `it belongs to user ${other}, this process to user ${user}, without CAP_SYS_PTRACE`
  }
  if (idsOf(status, 'Gid').some(id => id !== group)) {
    if (isAlike(status, own, 'Gid')) return changedAlike('group')
    return 'it belongs to another group than this process, which lacks CAP_SYS_PTRACE'
  }
  if (!isDumpable(pid, user)) return notDumpable(own)
  if ((mask(status, 'CapPrm') & ~mask(own, 'CapPrm')) !== 0n) return 'it has capabilities that this process lacks'
  return undefined
}

/** Whether its ids equal this process's, as a child's do until it changes them. */
function isAlike(status: Status, own: Status, field: 'Uid' | 'Gid'): boolean {
  return idsOf(status, field).join() === idsOf(own, field).join()
}

function changedAlike(what: 'user' | 'group'): string {
  const whose = `its real, effective and saved ${what} are not one, nor are those of this process`
  return `it is not dumpable (prctl(2), PR_SET_DUMPABLE): ${whose}, which lacks CAP_SYS_PTRACE; ${asTraceme}`
}

function notDumpable(own: Status): string {
  const ours = isDumpable('self', idsOf(own, 'Uid')[0])
    ? 'its program cannot be read by its user, or it has changed its user or asked for that'
    : `neither is this process, since it changed its user or group: ${asTraceme}`
  return `it is not dumpable (prctl(2), PR_SET_DUMPABLE); ${ours}`
}

function yamaHint(): string | undefined {
  const scope = yamaScope()
  if (scope === '1')
    return 'Yama allows descendants alone (kernel.yama.ptrace_scope is 1), or what prctl(2) PR_SET_PTRACER allows'
  if (scope === '2') return 'Yama asks for CAP_SYS_PTRACE (kernel.yama.ptrace_scope is 2)'
  if (scope === '3') return 'Yama allows no attaching until the next boot (kernel.yama.ptrace_scope is 3)'
  return undefined
}

/** The real, effective and saved id of a user or group. */
function idsOf(status: Status, field: 'Uid' | 'Gid'): string[] {
  return (status.get(field) ?? '').split('\t').slice(0, 3)
}

function mask(status: Status, field: string): bigint {
  return BigInt(`0x${status.get(field) ?? '0'}`)
}

function isDead(status: Status): boolean {
  return /^[ZX]/.test(status.get('State') ?? '')
}

function isStopped(status: Status): boolean {
  return status.get('State')?.startsWith('t') === true
}

function isKilled(status: Status): boolean {
  return ((mask(status, 'SigPnd') | mask(status, 'ShdPnd')) & sigkillPending) !== 0n
}

function nameOf(pid: string): string {
  const name = contentOf(`/proc/${pid}/comm`)?.trim()
  return name === undefined ? '' : ` (${name})`
}
