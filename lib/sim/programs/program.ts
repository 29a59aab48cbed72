/** Simulated programs: generators, whose every system call is a `yield*`. */

import { ProgramError } from '../base/program-error.ts'
import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'

/**
 * A simulated program. What it returns is its exit code; an error it does not catch ends it by SIGABRT.
 *
 * It yields nothing but calls of its process, each by `yield*`. A program that yields anything else, that forgets a star, or that is no
 * generator function, ends with a `ProgramError` (ERR_INVALID_PROGRAM).
 *
 * @example
 * function* greet(process) {
 *   yield* process.write(1, new TextEncoder().encode('hello\n'))
 * }
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing ends with 0
export type Program = (process: SimulatedProcess) => Calling<number | void>

type Code = Generator<unknown, unknown, unknown>

/** The generator of a program or a handler. One that makes none fails at its first step, as the crash of its own process. */
export function generatorOf(
  made: 'program' | 'handler',
  code: (...args: never[]) => unknown,
  call: () => unknown,
): Code {
  const kind = Object.prototype.toString.call(code)
  const isAsync = kind === '[object AsyncFunction]' || kind === '[object AsyncGeneratorFunction]'
  if (isAsync) return failing(new ProgramError(`${described(made, code)} is asynchronous: ${remedy}`))
  let result: unknown
  try {
    result = call()
  } catch (error) {
    return failing(error)
  }
  return isGenerator(result)
    ? result
    : failing(new ProgramError(`${described(made, code)} made no generator: ${remedy}`))
}

const remedy = 'write it as function*, and each of its calls as yield* process.read(…)'

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
