/** pidfd_open(2): a file that stands for a process, and is ready once that has ended. */

import { constants } from '../../system/constants.ts'
import { ESRCH } from '../base/results.ts'
import { OpenFile, type PollTable } from '../files/open-file.ts'
import { WaitQueue } from '../files/wait-queue.ts'
import type { Process } from './process.ts'
import type { Task } from './task.ts'

const { O_RDWR, POLLIN, POLLRDNORM, POLLHUP } = constants

/** A descriptor for a process, or a negative errno. */
export function openPidfd(task: Task, pid: number): number {
  const process = task.kernel.processes.get(pid)
  if (process === undefined) {
    task.kernel.trace.numbersUsed?.()
    return -ESRCH
  }
  task.kernel.trace.processUsed?.(process)
  const { descriptors } = task.process
  const free = descriptors.lowestFree()
  return free < 0 ? free : descriptors.add(new Pidfd(process), true)
}

export class Pidfd extends OpenFile {
  readonly process: Process
  readonly #queue = new WaitQueue()

  constructor(process: Process) {
    super(process.kernel, O_RDWR)
    this.process = process
    process.pidfds ??= new Set()
    process.pidfds.add(this)
  }

  get description(): string {
    return `a pidfd of ${this.process.name}`
  }

  /** The wait status of a process that was reaped; undefined before. */
  get exitStatus(): number | undefined {
    const { leader, groupExit } = this.process
    return leader.state === 'dead' ? (groupExit ?? leader.exitStatus) : undefined
  }

  /** The process has ended, or was reaped. */
  changed(): void {
    this.kernel.trace.used?.(this)
    this.#queue.wakeAll(POLLIN | POLLRDNORM)
  }

  poll(table: PollTable | null): number {
    table?.watch(this.#queue)
    const { leader, unreaped } = this.process
    if (leader.state === 'dead') return POLLIN | POLLRDNORM | POLLHUP
    return leader.state === 'zombie' && unreaped.length === 1 ? POLLIN | POLLRDNORM : 0
  }

  protected override closed(): void {
    this.process.pidfds?.delete(this)
  }
}
