/**
 * A place where the kernel tells one fact, as the tracepoints of Linux do: `tracepoint?.(…)`.
 *
 * It is null while no probe is attached, so that a fact nobody asked for costs one comparison.
 */
export type Tracepoint<Args extends unknown[]> = ((...args: Args) => void) | null
