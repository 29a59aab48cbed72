/** Mistakes of a simulated program, each with the error that ends it. */

import { ProgramError } from '../base/program-error.ts'
import type { Request, Task } from '../processes/task.ts'

/** What is wrong with a yield of a task's program; undefined if it is a call. */
export function wrongYield(task: Task, yielded: unknown): ProgramError | undefined {
  if (!isRequest(yielded)) {
    return new ProgramError(`the program yielded ${described(yielded)}; it may yield only calls, ${remedy}`)
  }
  return ends.has(yielded.call.name) ? unbegunCall(task) : undefined
}

/** What is wrong with the end of a task's program; undefined if nothing is. */
export function wrongEnd(task: Task, returned: unknown): ProgramError | undefined {
  const unbegun = unbegunCall(task)
  if (unbegun !== undefined || !task.isLeader || returned === undefined || Number.isInteger(returned)) return unbegun
  const what = typeof returned === 'number' ? returned : described(returned)
  return new ProgramError(`the program returned ${what}; an exit code is an integer`)
}

/** The calls that end a program. */
const ends: ReadonlySet<string> = new Set(['exit', 'exit_group'])

const remedy = 'as in yield* process.read(…)'

function unbegunCall({ unbegun: [method] }: Task): ProgramError | undefined {
  if (method === undefined) return undefined
  return new ProgramError(`the program made the call ${method}() without yield*, so it never ran; write it ${remedy}`)
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
