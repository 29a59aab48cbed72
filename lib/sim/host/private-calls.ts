/** What launch() asks besides System's calls: of /proc, of pidfds, and of what the host itself has done. */

import type { ChildReport } from '../../system/child-program.ts'
import type { PrivateCalls, TaskFacts } from '../../system/private-calls.ts'
import { simulatedHint } from '../base/simulated-hint.ts'
import * as proc from '../calls/proc.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { openPidfd } from '../processes/pidfd.ts'
import type { Action, CallRow } from '../processes/task.ts'
import type { BlockingCalls } from './blocking-calls.ts'

const reading: CallRow = { name: 'proc' }
const opening: CallRow = { name: 'pidfd_open' }
const sending: CallRow = { name: 'pidfd_send_signal' }

/** A class, not a literal, which V8 may put into the old generation, where it would keep its world: see youngArray. */
export class HostPrivateCalls implements PrivateCalls {
  isAwaited: (pid: number) => boolean = () => false
  readonly seizeAwaited: PrivateCalls['seizeAwaited']
  /** Tasks that the user of System has attached to. Their numbers are never used again. */
  readonly attached: Set<number> = new Set()
  readonly #calls: BlockingCalls

  constructor(calls: BlockingCalls, seizeAwaited: PrivateCalls['seizeAwaited']) {
    this.#calls = calls
    this.seizeAwaited = seizeAwaited
  }

  refuseToAttach(isAwaited: (pid: number) => boolean): void {
    this.isAwaited = isAwaited
  }

  get #kernel(): Kernel {
    return this.#calls.kernel
  }

  /** Not a move of the host: it is asked after the child's end of file, when the answer can no longer change. */
  hasExeced(pid: number): boolean {
    return this.#kernel.processes.get(pid)?.hasExeced ?? false
  }

  /** Not a move: the child has ended, and the host has reaped it. */
  takeReport(pid: number): ChildReport | undefined {
    return this.#kernel.host.process.memory.takeReport(pid)
  }

  whyNotFound(): string {
    return simulatedHint
  }

  /** Not a move either: it is asked right after a wait, which saw the same state. */
  isInTraceStop(pid: number): boolean {
    const task = this.#kernel.tasks.get(pid)
    // SIGKILL ends the stop, before the task takes its next step.
    return task?.state === 'traced' && !task.killed
  }

  /** Not a move: a child of the host stays one until the host reaps it. */
  isOfUser(tid: number): boolean {
    const { processes, host } = this.#kernel
    return this.attached.has(tid) || processes.get(tid)?.parent === host.process
  }

  taskOf(tid: number): TaskFacts | undefined {
    return (this.#read(task => proc.taskFacts(task, tid), tid) ?? undefined) as TaskFacts | undefined
  }

  /** Not a move: the tracee is stopped. */
  memoryMarkOf(tid: number): number {
    return this.#kernel.tasks.get(tid)?.process.memory.mark ?? 0
  }

  threadsOf(pid: number): number[] | undefined {
    return (this.#read(task => proc.threadsOf(task, pid), pid) ?? undefined) as number[] | undefined
  }

  isEndingOrExecing(tid: number): boolean {
    return this.#read(task => proc.isEndingOrExecing(task, tid), tid) as boolean
  }

  isExecing(tid: number): boolean {
    return this.#read(task => proc.isExecing(task, tid), tid) as boolean
  }

  openPidfd(pid: number): number {
    return this.#calls.make(opening, task => openPidfd(task, pid), [pid]) as number
  }

  signalByPidfd(pidfd: number, signal: number, toGroup: boolean): number {
    const act: Action = task => proc.sendByPidfd(task, pidfd, signal, toGroup)
    return this.#calls.make(sending, act, [pidfd, signal]) as number
  }

  pidfdExitStatus(pidfd: number): number | null {
    const status = this.#read(task => proc.exitStatusByPidfd(task, pidfd), pidfd) as number
    return status < 0 ? null : status
  }

  hasLivingMember(group: number): boolean {
    for (const process of this.#kernel.processes.values()) {
      if (process.group === group && process.tasks.length > 0) return true
    }
    return false
  }

  /** A move: what it finds may change between two calls. */
  #read(act: Action, of: number): unknown {
    return this.#calls.make(reading, act, [of])
  }
}
