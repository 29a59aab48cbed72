/** The causes of a deadlock's waits: the closes of the other ends, the stops and the kills. */

import { decodeWaitStatus } from '../../system/wait-status.ts'
import { Epoll } from '../files/epoll.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { WaitReason } from '../files/wait.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { Process } from '../processes/process.ts'

/** An event without which a task would not wait as it does. */
export interface WaitCause {
  /**
   * - `close`, `exec`, `exit`, `kill`: a descriptor of the other end was closed. Its process closed it, became another
   *   program, or ended.
   * - `stop`: a signal stopped a process.
   */
  readonly kind: 'close' | 'exec' | 'exit' | 'kill' | 'stop'
  /** The process that lost the descriptor or was stopped. */
  readonly pid: number
  /** For `kill` and `stop`, the sender of the signal; undefined if it came from outside the simulation. */
  readonly by: number | undefined
  /** 'the write end of pipe 3'. */
  readonly file: string | undefined
  /** The descriptor of the call. */
  readonly fd: number | undefined
  /** A whole sentence. */
  readonly description: string
}

/** The causes of the current waits. */
export function causesOf(kernel: Kernel): WaitCause[] {
  const causes: WaitCause[] = []
  const files = new Set<OpenFile>()
  for (const task of kernel.tasks.values()) for (const file of filesOf(task.wait?.reason)) files.add(file)
  if (kernel.host.wait === null) {
    for (const { reason } of kernel.loop.awaited) for (const file of filesOf(reason)) files.add(file)
  }
  for (const { counterpart } of files) {
    const cause = counterpart === undefined ? undefined : closeOf(kernel, counterpart)
    if (cause !== undefined) causes.push(cause)
  }
  for (const process of kernel.processes.values()) {
    if (process.stopped && process.stopCause !== null) causes.push(stopOf(kernel, process, process.stopCause))
  }
  return causes
}

function filesOf(reason: WaitReason | undefined): readonly OpenFile[] {
  if (reason === undefined) return []
  if (reason.on === 'poll') return reason.files
  if (reason.on === 'epoll') return reason.file instanceof Epoll ? reason.file.watched : []
  return 'file' in reason ? [reason.file] : []
}

/** The last close of a file that other processes may still hold. */
function closeOf(kernel: Kernel, file: OpenFile): WaitCause | undefined {
  const { lastClose } = file
  if (lastClose === null) return undefined
  const { process, program, fd, how } = lastClose
  const { id: pid } = process
  const name = `${pid} (${program})`
  const atEnd = how === 'exit' && process instanceof Process
  const { kind, by, text } = atEnd ? endOf(kernel, process) : { ...endings[how], by: undefined }
  const description = `${file.description} was closed last by ${name} as fd ${fd}, ${text}`
  return { kind, pid, by, file: file.description, fd, description: `${description}${stillHeld(kernel, file)}` }
}

const endings = {
  close: { kind: 'close', text: 'by a close' },
  replace: { kind: 'close', text: 'by a dup3 onto that number' },
  exec: { kind: 'exec', text: 'at its exec' },
  exit: { kind: 'exit', text: 'at its exit' },
} as const

/** The end of a process, which closed its descriptors. */
function endOf(kernel: Kernel, process: Process): Pick<WaitCause, 'kind' | 'by'> & { text: string } {
  const status = decodeWaitStatus(process.groupExit ?? process.leader.exitStatus)
  if (status.kind !== 'signaled') return { ...endings.exit, by: undefined }
  const { endedBy } = process
  const { signal } = status
  // Signals from outside the simulation have init as their sender.
  if (endedBy === null || endedBy === kernel.init)
    return { kind: 'kill', by: undefined, text: `when ${signal} ended it` }
  const sender = endedBy === process ? '' : ` from ${nameOf(kernel, endedBy.id)}`
  return { kind: 'kill', by: endedBy.id, text: `when ${signal}${sender} ended it` }
}

function stillHeld(kernel: Kernel, file: OpenFile): string {
  const holders = [...kernel.processes.values()].flatMap(process => {
    const fds = process.descriptors.numbersOf(file)
    return fds.length === 0 ? [] : [`${process.name} still holds it as fd ${fds.join(' and ')}`]
  })
  return holders.length === 0 ? '' : `; ${holders.join(', ')}`
}

function stopOf(kernel: Kernel, process: Process, { signal, by }: NonNullable<Process['stopCause']>): WaitCause {
  const sender = by === undefined ? '' : ` from ${nameOf(kernel, by)}`
  const description = `${process.name} was stopped by ${signal}${sender}`
  return { kind: 'stop', pid: process.id, by, file: undefined, fd: undefined, description }
}

function nameOf(kernel: Kernel, pid: number): string {
  return kernel.processes.get(pid)?.name ?? String(pid)
}
