/** Refuses `new` for classes whose objects the package makes, as TypeScript does by a private constructor. */

import { coded } from './argument-errors.ts'

/** The package's own calls of such a constructor pass it. */
export const here = Symbol('made here')

/** @throws TypeError ERR_ILLEGAL_CONSTRUCTOR, which says what makes such objects, unless the key is {@link here}. */
export function requireHere(key: unknown, what: string, makers: string): void {
  if (key === here) return
  throw coded(new TypeError(`Illegal constructor: a ${what} is made by ${makers}`), 'ERR_ILLEGAL_CONSTRUCTOR')
}
