/** A fact about this machine, as `tracegate doctor` reports it. */

/** 'fail': launching cannot work. 'warn': launching works, but something else does not. 'ok': no problem. */
export type FactStatus = 'ok' | 'warn' | 'fail'

/** One line of the doctor's report. */
export interface Fact {
  /** The subject in a word: 'addon', 'ptrace'. Stable, for programs. */
  readonly name: string
  readonly status: FactStatus
  /** The finding. It has several lines if it lists causes. */
  readonly detail: string
  /** The remedy, if there is one. */
  readonly cure?: string
}
