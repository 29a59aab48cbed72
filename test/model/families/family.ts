/** A family of programs: which operations they are made of, and how often each comes. */

import type { Draft } from '../draft.ts'
import type { Operation } from '../operations.ts'
import type { Weighted } from '../random.ts'

/** Makes up one operation, or some that belong together; undefined when the moment is not right. */
export type Recipe = (draft: Draft) => Operation | readonly Operation[] | undefined

export interface Family {
  readonly name: string
  /** Operations in one program. */
  readonly length: number
  /** What a program begins with, so that the rest has something to work on. */
  readonly beginnings: readonly Recipe[]
  readonly recipes: readonly Weighted<Recipe>[]
  /** Room for this many descriptors only, where the limit can be lowered. */
  readonly descriptorLimit?: number
}
