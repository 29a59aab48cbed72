/** Leaks: descriptors and processes left at the end of a scenario. */

import { printable } from '../../system/printable.ts'
import { decodeWaitStatus, type WaitStatus } from '../../system/wait-status.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Process } from '../processes/process.ts'
import { describeTask } from './deadlock.ts'

/** A descriptor of the host that is still open. */
export interface LeakedDescriptor {
  /** Distinguishes it from a leaked process. */
  readonly kind: 'descriptor'
  /** The descriptor's number. */
  readonly fd: number
  /** Its file's name: 'the read end of pipe 3'. */
  readonly file: string
}

/** A process that is left: not waited for, in a group stop, held by its tracer, or running. */
export interface LeakedProcess {
  /** Distinguishes it from a leaked descriptor. */
  readonly kind: 'process'
  /** The process's number. */
  readonly pid: number
  /** The program it runs. */
  readonly program: string
  /** The state it was left in. */
  readonly state: 'zombie' | 'stopped' | 'held' | 'running'
  /** Name of its parent: '100 (host)' for the scenario's own children. */
  readonly parent: string
  /** A clause that describes its state. */
  readonly description: string
}

/** A leaked descriptor or process. */
export type Leak = LeakedDescriptor | LeakedProcess

/** The scenario left descriptors or processes behind. */
export class LeakError extends Error {
  override readonly name = 'LeakError'
  readonly code = 'ERR_LEAK'
  /** One entry for each. */
  readonly leaks: readonly Leak[]

  constructor(leaks: readonly Leak[]) {
    super(['left over at the end of the run:', ...leaks.map(leak => `  ${printable(describe(leak))}`)].join('\n'))
    this.leaks = leaks
  }
}

/** The host's descriptors other than `expectedFds`, and all processes but the host; undefined if there are none. */
export function findLeaks(kernel: Kernel, expectedFds: readonly number[] = [0, 1, 2]): LeakError | undefined {
  const leaks: Leak[] = []
  for (const [fd, file] of kernel.host.process.descriptors.entries()) {
    if (!expectedFds.includes(fd)) leaks.push({ kind: 'descriptor', fd, file: file.description })
  }
  for (const process of kernel.processes.values()) {
    if (process === kernel.init || process === kernel.shell || process === kernel.host.process) continue
    leaks.push(leakedProcess(kernel, process))
  }
  return leaks.length === 0 ? undefined : new LeakError(leaks)
}

function describe(leak: Leak): string {
  if (leak.kind === 'descriptor') return `fd ${leak.fd} is open: ${leak.file}`
  return `${leak.pid} (${leak.program}), a child of ${leak.parent}, ${leak.description}`
}

function leakedProcess(kernel: Kernel, process: Process): LeakedProcess {
  const { id: pid, leader, parent } = process
  const state = stateOf(process)
  return {
    kind: 'process',
    pid,
    program: process.program,
    state,
    parent: parent.name,
    description:
      state === 'zombie'
        ? `is a zombie: it ${howItEnded(decodeWaitStatus(process.groupExit ?? leader.exitStatus))} and has not been waited for`
        : describeTask(kernel, process.tasks[0] ?? leader),
  }
}

function stateOf({ tasks }: Process): LeakedProcess['state'] {
  if (tasks.length === 0) return 'zombie'
  if (tasks.some(({ state }) => state === 'traced')) return 'held'
  return tasks.some(({ state }) => state === 'stopped') ? 'stopped' : 'running'
}

function howItEnded(status: WaitStatus): string {
  return status.kind === 'signaled'
    ? `was killed by ${status.signal}`
    : status.kind === 'exited'
      ? `exited with ${status.code}`
      : 'ended'
}
