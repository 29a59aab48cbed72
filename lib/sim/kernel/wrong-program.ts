/** Mistakes of a simulated program, each with the error that ends it. */

import { ProgramError } from '../base/program-error.ts'
import type { Request, Task } from '../processes/task.ts'

/** What is wrong with a yield of a task's program; undefined if it is a call. */
export function wrongYield(task: Task, yielded: unknown): ProgramError | undefined {
  if (!isRequest(yielded)) {
    return new ProgramError(`the program yielded ${described(yielded)}; it may yield only calls, ${remedy}`)
  }
  const { maker } = yielded
  if (maker !== undefined && maker.process !== task.process && yielded.call.method !== ofAnyProcess)
    return callOfAnother(task, maker, yielded)
  return ends.has(yielded.call.name) ? unbegunCall(task) : undefined
}

/** What is wrong where a program's code has failed: a TypeError is the usual consequence of a call that never ran. */
export function wrongFailure(task: Task, error: unknown): unknown {
  const method = offeredCall(task) ?? task.unbegun[0]
  return method !== undefined && isTypeError(error) ? callNotRun(method, error) : error
}

function isTypeError(error: unknown): error is TypeError {
  try {
    return error instanceof TypeError && !(error instanceof ProgramError)
  } catch {
    // A Proxy may refuse to be looked at.
    return false
  }
}

/** What is wrong with a step of a task's program: it has taken a call apart, as in `const [a, b] = call`. */
export function wrongStep(task: Task): ProgramError | undefined {
  const method = offeredCall(task)
  return method === undefined ? undefined : callNotRun(method)
}

/** A call that the program's code has taken out of its generator by itself. */
function offeredCall({ kernel }: Task): string | undefined {
  return kernel.offered === null ? undefined : methodOf(kernel.offered)
}

/** The method of SimulatedProcess that made a request. */
export function methodOf({ call }: Request): string {
  return call.method ?? call.name
}

/** The error of a call that was made without yield*; `failed` is what came of it. */
export function callNotRun(method: string, failed?: Error): ProgramError {
  const message = `the program made the call ${method}() without yield*, so it never ran; write it ${remedy}`
  return failed === undefined
    ? new ProgramError(message)
    : new ProgramError(`${message}. It failed: ${failed.message}`, { cause: failed })
}

/** pthread_join(3) of another process's thread is ESRCH, as its docstring says. */
const ofAnyProcess = 'join'

function callOfAnother(task: Task, maker: Task, request: Request): ProgramError {
  return new ProgramError(
    `the program of ${task.label} made the call ${methodOf(request)}() of ${maker.label}; ` +
      'a program makes the calls of the process that it is given as its argument',
  )
}

/** What is wrong with the end of a task's program; undefined if nothing is. */
export function wrongEnd(task: Task, returned: unknown): ProgramError | undefined {
  const unbegun = unbegunCall(task)
  if (unbegun !== undefined || !task.isLeader || returned === undefined || Number.isInteger(returned)) return unbegun
  const what = typeof returned === 'number' ? returned : described(returned)
  return new ProgramError(`the program returned ${what}; an exit code is an integer`)
}

/** The calls that end a program. A call still forgotten at an exec would be blamed on the next program. */
const ends: ReadonlySet<string> = new Set(['exit', 'exit_group', 'execve'])

const remedy = 'as in yield* process.read(…)'

function unbegunCall({ unbegun: [method] }: Task): ProgramError | undefined {
  return method === undefined ? undefined : callNotRun(method)
}

function isRequest(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && 'act' in value
}

function described(value: unknown): string {
  const { next, then } = Object(value) as { readonly next?: unknown; readonly then?: unknown }
  if (typeof next === 'function') return 'a generator, perhaps of a call without the star'
  if (typeof then === 'function') return 'a promise, which a simulated program cannot await'
  return value === undefined ? 'nothing' : `a value of type ${value === null ? 'null' : typeof value}`
}
