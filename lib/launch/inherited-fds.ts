/** Standard streams and other descriptors of this process that a child is to have, each at its own number. */

/**
 * A value of `stdio` for a wrapper command: 0 to 2 but for `closed`, and `fds`, are inherited. Every other descriptor is closed.
 *
 * A list of entries would have to name a descriptor for each number below the highest. Only
 * the command makes one.
 */
export class InheritedFds {
  readonly fds: readonly number[]
  /** The standard descriptors that are closed in the child, whatever this process has there. */
  readonly closed: readonly number[]

  constructor(fds: readonly number[], closed: readonly number[] = []) {
    this.fds = fds.filter(fd => fd > 2)
    this.closed = closed
  }
}
