/** Simulated programs: generators that make every system call by `yield*`. */

import { ProgramError } from '../base/program-error.ts'
import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'

/**
 * A simulated program. Its return value is the exit code. An uncaught error ends it by SIGABRT.
 *
 * It may yield only calls of its process, each by `yield*`. A `ProgramError` (ERR_INVALID_PROGRAM) ends a program that
 * yields anything else, omits a star or a whole `yield*`, or is no generator function.
 *
 * @example
 * function* greet(process) {
 *   yield* process.write(1, new TextEncoder().encode('hello\n'))
 * }
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing ends with 0
export type Program = (process: SimulatedProcess) => Calling<number | void>

type Code = Generator<unknown, unknown, unknown>

/** The generator of a program or handler. @throws ProgramError if there is none, and what the code throws. */
export function generatorOf(
  made: 'program' | 'handler',
  code: (...args: never[]) => unknown,
  call: () => unknown,
): Code {
  refuseAsync(made, code)
  const result = call()
  if (isGenerator(result)) return result
  throw new ProgramError(`${described(made, code)} returned no generator: ${remedy}`)
}

/** As {@link generatorOf}. If there is none, the first step fails, which crashes only that process. */
export function failingGeneratorOf(...args: Parameters<typeof generatorOf>): Code {
  try {
    return generatorOf(...args)
  } catch (error) {
    return failing(error)
  }
}

/** Refuses what can never return a generator. */
export function refuseAsync(made: 'program' | 'handler', code: (...args: never[]) => unknown): void {
  const kind = Object.prototype.toString.call(code)
  if (kind === '[object AsyncFunction]' || kind === '[object AsyncGeneratorFunction]')
    throw new ProgramError(`${described(made, code)} is asynchronous: ${remedy}`)
}

const remedy = 'write it as function*, and each of its calls as in yield* process.read(…)'

function described(made: string, { name }: { readonly name: string }): string {
  return `the ${made}${name === '' ? '' : ` '${name}'`}`
}

function isGenerator(value: unknown): value is Code {
  if (typeof value !== 'object' || value === null) return false
  const { next, throw: fail } = value as Partial<Code>
  return typeof next === 'function' && typeof fail === 'function' && Symbol.iterator in value
}

// biome-ignore lint/correctness/useYield: it fails at once
function* failing(error: unknown): Code {
  throw error
}
