/** Random programs for fast-check: generated operation by operation, and shrunk while they still fail. */

import { Arbitrary, type Random, Stream, Value } from 'fast-check'
import { Draft } from './draft.ts'
import type { Family, Recipe } from './families/family.ts'
import type { Operation, Program } from './operations.ts'
import { Dice } from './random.ts'
import { simpler } from './simpler.ts'

/** Progress of shrinking: the size of the pieces left out, and the end of the next piece. */
interface Progress {
  readonly size: number
  readonly end: number
}

/** Time limit for shrinking one failure. */
const longestShrinkingMs = 60_000

export class ProgramArbitrary extends Arbitrary<Program> {
  readonly #family: Family
  readonly #failedAt: (program: Program) => number | undefined
  #deadline: number | undefined

  /** `failedAt` returns the operation after which a program failed; shrinking first drops what comes later. */
  constructor(family: Family, failedAt: (program: Program) => number | undefined) {
    super()
    this.#family = family
    this.#failedAt = failedAt
  }

  override generate(random: Random): Value<Program> {
    const dice = new Dice(random)
    const draft = new Draft(dice)
    const follow = (recipe: Recipe) => {
      const made = recipe(draft) ?? []
      for (const operation of 'op' in made ? [made] : made) draft.add(operation)
    }
    for (const recipe of this.#family.beginnings) follow(recipe)
    while (draft.operations.length < this.#family.length) follow(dice.weighted(this.#family.recipes))
    return new Value({ quiet: dice.oneIn(5), operations: draft.operations }, undefined)
  }

  override canShrinkWithoutContext(value: unknown): value is Program {
    return typeof value === 'object' && value !== null && 'operations' in value
  }

  override shrink(program: Program, context?: unknown): Stream<Value<Program>> {
    this.#deadline ??= performance.now() + longestShrinkingMs
    return new Stream(this.#smaller(program, context as Progress | undefined))
  }

  *#smaller(program: Program, progress: Progress | undefined): IterableIterator<Value<Program>> {
    const { operations } = program
    const withOperations = (rest: readonly Operation[], next?: Progress) =>
      new Value({ ...program, operations: rest }, next)
    const failedAt = this.#failedAt(program)
    if (failedAt !== undefined && failedAt + 1 < operations.length)
      yield withOperations(operations.slice(0, failedAt + 1))
    let size = progress?.size ?? Math.ceil(operations.length / 2)
    let end = progress?.end ?? operations.length
    for (; size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0, end = operations.length) {
      for (; end > 0; end -= size) {
        if (performance.now() > this.#deadline!) return
        const start = Math.max(0, end - size)
        const rest = [...operations.slice(0, start), ...operations.slice(end)]
        yield withOperations(rest, { size: Math.min(size, rest.length || 1), end: start })
      }
    }
    // Fewer or simpler operations may have made others unnecessary.
    if (progress !== undefined && progress.size === 1 && progress.end < operations.length) {
      for (let at = operations.length; at > progress.end; at--) {
        yield withOperations([...operations.slice(0, at - 1), ...operations.slice(at)], { size: 1, end: at - 1 })
      }
    }
    if (!program.quiet) yield new Value({ ...program, quiet: true }, { size: 1, end: operations.length })
    for (const [at, operation] of operations.entries()) {
      for (const other of simpler(operation)) {
        if (performance.now() > this.#deadline!) return
        yield withOperations([...operations.slice(0, at), other, ...operations.slice(at + 1)], {
          size: 1,
          end: operations.length,
        })
      }
    }
  }
}
