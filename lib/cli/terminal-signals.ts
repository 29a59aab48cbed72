/** Signals to the command while a program runs under it. */

import type { Child } from '../launch/child.ts'

// The terminal sends these to the program itself, which is in our process group: as in a shell, it decides what becomes of it.
const fromTerminal = ['SIGINT', 'SIGQUIT'] as const
// These come to us alone, from whoever wants to end the command.
const toUs = ['SIGTERM', 'SIGHUP'] as const

/** Outlives Ctrl-C and passes on what was sent to the command alone, until the returned function is called. `onSignal` is told of each. */
export function standBehind(child: () => Child, onSignal: () => void = () => {}): () => void {
  const handlers: [name: NodeJS.Signals, handler: () => void][] = []
  for (const name of fromTerminal) handlers.push([name, onSignal])
  for (const name of toUs) {
    const forward = () => {
      child().kill(name)
      onSignal()
    }
    handlers.push([name, forward])
  }
  for (const [name, handler] of handlers) process.on(name, handler)
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler)
  }
}
