/** A family of programs: their operations and the frequency of each. */

import type { Draft } from '../draft.ts'
import type { Operation } from '../operations.ts'
import type { Weighted } from '../random.ts'

/** Generates an operation, or several that belong together; undefined if none fits the draft's state. */
export type Recipe = (draft: Draft) => Operation | readonly Operation[] | undefined

export interface Family {
  readonly name: string
  /** Operations in one program. */
  readonly length: number
  /** The first operations of a program, which make something for the rest to work on. */
  readonly beginnings: readonly Recipe[]
  readonly recipes: readonly Weighted<Recipe>[]
  /** Limit on descriptors, if RLIMIT_NOFILE can be lowered. */
  readonly descriptorLimit?: number
}
