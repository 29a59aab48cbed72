/** A turn of JavaScript's event loop, after which the code that ran before has come to rest: its microtasks and next ticks are done. */

import { nextTurn } from '../kernel/event-loop.ts'

const begin = (resolve: () => void): void => {
  nextTurn(resolve)
}

export function turn(): Promise<void> {
  return new Promise(begin)
}
