/**
 * Calls a user's listener. An exception becomes an uncaught exception of the process, thrown after the caller finishes.
 * One faulty listener thus starves no other, and rejects none of the library's promises.
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
