/** The type of a simulated program's yields, and of its calls. */

import type { Request } from '../processes/task.ts'

declare const madeByCall: unique symbol

/** What a call of a SimulatedProcess yields. Only calls have this type, so a program cannot yield anything else. */
export interface YieldedCall {
  /** Exists in the type only. */
  readonly [madeByCall]: true
}

/** A call of a program: `yield*` returns its result. */
// biome-ignore lint/suspicious/noExplicitAny: what a yield gives back is the kernel's affair
export type Calling<Result> = Generator<YieldedCall, Result, any>

/** Wraps a request to the kernel for a yield. */
export function toYield(request: Request): YieldedCall {
  return request as unknown as YieldedCall
}
