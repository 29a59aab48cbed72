/** Uncaught errors, collected for a test that expects one. */

const { setTimeout } = globalThis

/** Runs the action. Returns every exception left uncaught until one turn after the action has finished. */
export async function uncaughtDuring(action: () => Promise<void>): Promise<unknown[]> {
  const runners = process.listeners('uncaughtException')
  const caught: unknown[] = []
  const take = (error: unknown) => {
    caught.push(error)
  }
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', take)
  try {
    await action()
    await new Promise(resolve => setTimeout(resolve, 0))
  } finally {
    process.off('uncaughtException', take)
    for (const listener of runners) process.on('uncaughtException', listener)
  }
  return caught
}
