/** A program from its exec stop to its first instruction. */

import type { Tracee } from '../launch/handles/tracee.ts'
import { isErrno } from '../system/errors.ts'
import { isUnrun, type Position } from './is-unrun.ts'

/** Why a program was killed before it ran, and the command's exit status. */
export interface Ending {
  readonly why: string
  readonly status: number
}

export class HeldProgram {
  readonly tracee: Tracee
  /** Set once the program was killed unrun. */
  ending: Ending | undefined
  // In its ptrace stop; left in state T, untraced; or released to run.
  #place: 'stopped' | 'left' | 'released' = 'stopped'
  #start: Position | undefined

  constructor(tracee: Tracee) {
    this.tracee = tracee
  }

  /** Whether the program has run no instruction yet. */
  get isUnrun(): boolean {
    if (this.#place === 'left') return isUnrun(this.tracee.pid, this.#start!)
    return this.#place === 'stopped'
  }

  /**
   * Leaves it in state T, untraced: a debugger may attach, and any SIGCONT lets it run. False if it was killed or
   * released before.
   */
  async leave(): Promise<boolean> {
    if (this.#place === 'stopped') {
      await this.#unlessEnded(async () => {
        const { pc, sp } = this.tracee.registers()
        await this.tracee.handOff()
        this.#start = { pc, sp }
        this.#place = 'left'
      })
    }
    return this.#place === 'left' && this.ending === undefined
  }

  /** Lets it run. */
  async release(): Promise<void> {
    if (this.#place === 'left' && this.isUnrun) this.tracee.kill('SIGCONT')
    if (this.#place === 'stopped') await this.#unlessEnded(() => this.tracee.detach())
    this.#place = 'released'
  }

  /** Kills it if it has not run; whether it had not. */
  endUnrun(ending: Ending): boolean {
    // Released instead, the program would run until a signal takes effect, or for good if it ignores the signal.
    if (!this.isUnrun) return false
    this.ending ??= ending
    this.tracee.kill('SIGKILL')
    return true
  }

  /** A program that was just killed, here or by another process, accepts no request. */
  async #unlessEnded(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (this.ending === undefined && !isErrno(error, 'ESRCH')) throw error
    }
  }
}
