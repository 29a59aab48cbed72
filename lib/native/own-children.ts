/** This System's unreaped children, as far as its own calls can know. */
export interface OwnChildren {
  /** Forked here and not reaped here. */
  readonly forked: Set<number>
  /** Whether launch() waits for a child: the public calls refuse to attach to it. */
  isAwaited(pid: number): boolean
  /** Tasks that the public calls have attached to, and that have not been seen to end. */
  readonly attached: Set<number>
  /** How often a tracee was resumed or let go here. */
  resumptions: number
}
