/** Takes the terminal back for this process's group when a child that was given it stops or ends. */

import { isErrno } from '../../system/errors.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { SignalName } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import { isExit, type StopEvent } from '../../system/wait-status.ts'
import { stopSignals } from '../base/stop-signals.ts'
import type { Change } from './watched-child.ts'

/** Until the terminal is taken back, this process's reads of it fail with EIO, or stop it with SIGTTIN. */
export class Foreground {
  readonly #system: System
  readonly #pid: number
  readonly #group: number

  /** `group`: the child's process group. */
  constructor(system: System, pid: number, group: number) {
    this.#system = system
    this.#pid = pid
    this.#group = group
  }

  changed({ status }: Change): void {
    if (isExit(status) || (status.kind === 'stopped' && this.#isStopOfGroup(status.signal, status.event)))
      this.reclaim()
  }

  /** Whether the child's group has stopped. A tracee stops before that for the signal, which may not be delivered. */
  #isStopOfGroup(signal: SignalName, event: StopEvent | undefined): boolean {
    return stopSignals.has(signal) && (event === 'stop' || !this.#isAtSignal())
  }

  /** Takes the terminal back, unless another group has it by now. */
  reclaim(): void {
    privateCallsOf(this.#system)?.reclaimTerminal?.(this.#group)
  }

  /** EINVAL: a group stop. ESRCH: not traced, or no longer. */
  #isAtSignal(): boolean {
    try {
      this.#system.ptraceGetSigInfo(this.#pid)
      return true
    } catch (error) {
      return !isErrno(error, 'EINVAL', 'ESRCH')
    }
  }
}
