/**
 * How long tests wait for what must come. A good program ends within these on a machine many times slower than most;
 * each is less than the next, so that what hangs is named by what has waited for it.
 */

/** For a state that is polled for. */
export const pollLimitMs = 120_000
/** For a process, which is killed then. */
export const processLimitMs = 150_000
/** For a test. */
export const testLimitMs = 180_000
