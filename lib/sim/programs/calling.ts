/** How a simulated program makes a call: the type of its yields, and of its calls. */

import { isFailure } from '../base/results.ts'
import { failure, type SystemCall } from '../calls/table.ts'
import type { Request, Task } from '../processes/task.ts'

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

/** Notes a call that a task's program has made. It stays noted until {@link begin}: its `yield*` may be forgotten. */
export function note(task: Task, method: string): void {
  task.unbegun.push(method)
}

/** Begins a noted call: its `yield*` was not forgotten. */
export function begin({ unbegun }: Task, method: string): void {
  if (unbegun[unbegun.length - 1] === method) unbegun.pop()
  else unbegun.splice(unbegun.lastIndexOf(method), 1)
}

/** Makes a call of a task's program. The program is suspended until the kernel has carried it out. */
export function make<Args extends unknown[], Result>(
  task: Task,
  call: SystemCall<Args, Result>,
  args: Args,
): Calling<Result> {
  note(task, call.method)
  return making(task, call, args)
}

function* making<Args extends unknown[], Result>(
  task: Task,
  call: SystemCall<Args, Result>,
  args: Args,
): Calling<Result> {
  begin(task, call.method)
  const request: Request = { call, args, act: call.prepare(...args) }
  const result: unknown = yield toYield(request)
  if (isFailure(result)) throw failure(task, call, result, args)
  return call.finish(result)
}
