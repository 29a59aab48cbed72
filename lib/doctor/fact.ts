/** A fact about this machine, as `tracegate doctor` tells it. */

/** 'fail': launching cannot work; 'warn': it can, but something else does not; 'ok': nothing is in the way. */
export type FactStatus = 'ok' | 'warn' | 'fail'

/** One line of the doctor's report. */
export interface Fact {
  /** What it is about, in a word: 'addon', 'ptrace'. Stable, for programs. */
  readonly name: string
  readonly status: FactStatus
  /** What was found; several lines where there is a list of causes. */
  readonly detail: string
  /** What to do about it, where something can be done. */
  readonly cure?: string
}
