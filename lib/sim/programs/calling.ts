/** What a simulated program yields, and what a call of it is. */

import type { Request } from '../processes/task.ts'

declare const madeByCall: unique symbol

/** What a call of a SimulatedProcess yields to the kernel. Nothing else is of this type, so a program can yield nothing else. */
export interface YieldedCall {
  /** Only a type has it. */
  readonly [madeByCall]: true
}

/** A call of a program: `yield*` gives its result. */
// biome-ignore lint/suspicious/noExplicitAny: what a yield gives back is the kernel's affair
export type Calling<Result> = Generator<YieldedCall, Result, any>

/** Has the kernel carry out a call: what to yield. */
export function toYield(request: Request): YieldedCall {
  return request as unknown as YieldedCall
}
