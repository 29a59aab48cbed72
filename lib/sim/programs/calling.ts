/** How a simulated program makes a call: the type of its yields, and of its calls. */

import { isFailure } from '../base/results.ts'
import { failure, type SystemCall } from '../calls/table.ts'
import { callNotRun, methodOf } from '../kernel/wrong-program.ts'
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

/** Offers a request to the kernel, for a yield. */
export function offer({ kernel }: Task, request: Request): YieldedCall {
  kernel.offered ??= request
  return request as unknown as YieldedCall
}

/** Checks that the kernel has taken a request before its call goes on: `const [a, b] = call` takes it elsewhere. */
export function checkTaken({ kernel }: Task, request: Request): void {
  if (kernel.offered === request) throw callNotRun(methodOf(request))
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
  const request: Request = { call, args, act: call.prepare(...args), maker: task }
  const result: unknown = yield offer(task, request)
  checkTaken(task, request)
  if (isFailure(result)) throw failure(task, call, result, args)
  return call.finish(result)
}
