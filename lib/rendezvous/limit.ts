/** A time limit that does not overtake messages that came in time. */

/** Enough for the event loop to accept a connection and read from it, however late it is. */
const mostProlongedMs = 100

/**
 * Calls `expire` after the limit; returns the function that cancels it.
 *
 * A blocked event loop runs its timers before it reads. A limit that fires late is prolonged once, by as much as it was
 * late.
 */
export function afterLimit(limitMs: number, expire: () => void): () => void {
  const due = performance.now() + limitMs
  let timer = setTimeout(() => {
    const lateMs = Math.max(0, performance.now() - due)
    timer = setTimeout(expire, Math.min(lateMs, mostProlongedMs))
  }, limitMs)
  return () => clearTimeout(timer)
}
