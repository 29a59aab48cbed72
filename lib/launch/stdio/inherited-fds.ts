/** Descriptors of this process, standard or not, that a child gets at the same numbers. */

/**
 * A value of `stdio` for a wrapper command. The child inherits 0 to 2, except `closed`, and `fds`. Every other
 * descriptor is closed.
 *
 * A list of entries would need one for each number below the highest. Only the command makes an InheritedFds.
 */
export class InheritedFds {
  readonly fds: readonly number[]
  /** The standard descriptors to close in the child, even where this process has them open. */
  readonly closed: readonly number[]
  /** Descriptors of this process by the number that the child gets each at, which is none of `fds`. */
  readonly placed: ReadonlyMap<number, number>

  constructor(fds: readonly number[], closed: readonly number[] = [], placed: ReadonlyMap<number, number> = new Map()) {
    this.fds = fds.filter(fd => fd > 2)
    this.closed = closed
    this.placed = placed
  }
}
