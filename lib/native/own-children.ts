/** The children of this System that are not reaped yet, as far as its own calls tell. */
export interface OwnChildren {
  /** Forked here and not reaped here. */
  readonly forked: Set<number>
  /** Those that launch() waits for: the public calls refuse to attach to them. */
  readonly awaited: Set<number>
}
