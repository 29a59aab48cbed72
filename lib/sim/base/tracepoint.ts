/**
 * A place where the kernel reports one event, like a tracepoint of Linux: `tracepoint?.(…)`.
 *
 * It is null while no probe is attached, so that an unobserved event costs one comparison.
 */
export type Tracepoint<Args extends unknown[]> = ((...args: Args) => void) | null
