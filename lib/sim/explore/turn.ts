/** Awaits a turn of JavaScript's event loop: microtasks and next ticks of the code that ran before are then done. */

import { nextTurn } from '../kernel/event-loop.ts'

const begin = (resolve: () => void): void => {
  nextTurn(resolve)
}

export function turn(): Promise<void> {
  return new Promise(begin)
}
