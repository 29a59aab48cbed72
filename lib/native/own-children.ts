/** This System's unreaped children, as far as its own calls can know. */
export interface OwnChildren {
  /** Forked here and not reaped here. */
  readonly forked: Set<number>
  /** Children that launch() waits for: the public calls refuse to attach to them. */
  readonly awaited: Set<number>
  /** Tasks that the public calls have attached to, and that have not been seen to end. */
  readonly attached: Set<number>
  /** How often a tracee was resumed or let go here. */
  resumptions: number
}
