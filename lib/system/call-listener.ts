/**
 * Calls a listener of the user's. What it throws is an uncaught exception of the process, thrown once the caller has finished: one
 * listener's fault keeps nothing from the others, and rejects no promise of the library's.
 */
export function callListener(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
