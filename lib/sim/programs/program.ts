/** Simulated programs: generators, whose every system call is a `yield*`. */

import type { SimulatedProcess } from './simulated-process.ts'

/**
 * A simulated program. What it returns is its exit code; an error it does not catch ends it by SIGABRT.
 *
 * @example
 * function* greet(process) {
 *   yield* process.write(1, new TextEncoder().encode('hello\n'))
 * }
 */
// biome-ignore lint/suspicious/noExplicitAny: what a yield gives back is the kernel's affair, and each call has its own type
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing ends with 0
export type Program = (process: SimulatedProcess) => Generator<unknown, number | void, any>
