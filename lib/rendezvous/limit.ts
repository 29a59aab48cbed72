/** A time limit that does not overtake messages that came in time. */

/**
 * Calls `expire` after the limit; returns the function that cancels it.
 *
 * A blocked event loop runs its timers before it reads. Its next two turns accept a connection that is there, and read
 * what came over it.
 */
export function afterLimit(limitMs: number, expire: () => void): () => void {
  let turn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    turn = setImmediate(() => {
      turn = setImmediate(expire)
    })
  }, limitMs)
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}
