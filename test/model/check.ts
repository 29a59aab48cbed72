/** Runs random programs of a family in two kinds of worlds until a number of operations has been compared. */

import { check, property } from 'fast-check'
import { ProgramArbitrary } from './arbitrary.ts'
import type { Family } from './families/index.ts'
import { type Program, printProgram } from './operations.ts'
import { Divergence, runProgram, runTwice } from './run-program.ts'
import type { WorldKind } from './world.ts'

// A program has some 25 operations.
const batchOf = (operations: number) => Math.min(50, Math.ceil(operations / 25))

export interface Checked {
  readonly operations: number
  readonly programs: number
  /** The first divergence, shrunk. */
  readonly divergence?: Divergence
  /** The seed and path that find it again soonest. */
  readonly seed?: number
}

/** The worlds compared. The first has the right answers; without a second it is compared with itself. */
export interface Pair {
  readonly one: WorldKind
  readonly other?: WorldKind
}

function runIn({ one, other }: Pair, program: Program): number {
  return other === undefined ? runTwice(program, one.open) : runProgram(program, one.open(), other.open())
}

export interface CheckOptions {
  readonly operations: number
  readonly seed: number
  readonly onProgress?: (done: Checked) => void
}

export function checkFamily(family: Family, worlds: Pair, options: CheckOptions): Checked {
  let operations = 0
  let programs = 0
  let failed = false
  const failedAt = new WeakMap<Program, Divergence>()
  const { stackTraceLimit } = Error
  // Most errors here are expected results of calls, whose stack traces would only cost time.
  Error.stackTraceLimit = 0
  try {
    for (let seed = options.seed; operations < options.operations; seed++) {
      const arbitrary = new ProgramArbitrary(family, program => failedAt.get(program)?.at)
      const run = (program: Program) => {
        try {
          const performed = runIn(worlds, program)
          // Operations of shrunk programs are not counted.
          if (!failed) operations += performed
        } catch (error) {
          failed = true
          if (error instanceof Divergence) failedAt.set(program, error)
          throw error
        }
      }
      const details = check(property(arbitrary, run), { seed: seed | 0, numRuns: batchOf(options.operations) })
      programs += details.numRuns
      if (details.failed) {
        const found = details.counterexample?.[0]
        const divergence = found === undefined ? undefined : failedAt.get(found)
        if (divergence === undefined) {
          const program = found === undefined ? '' : `\n\n${printProgram(found)}`
          throw new Error(`${String(details.errorInstance)}${program}`, { cause: details.errorInstance })
        }
        return { operations, programs, divergence, seed }
      }
      options.onProgress?.({ operations, programs })
    }
    return { operations, programs }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Runs one program; the divergence, if there is one. */
export function replay(program: Program, worlds: Pair): Divergence | undefined {
  try {
    runIn(worlds, program)
    return undefined
  } catch (error) {
    if (error instanceof Divergence) return error
    throw error
  }
}
