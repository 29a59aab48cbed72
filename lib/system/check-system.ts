/** The check of a System that is given: apart from the other checks, which System itself stands on. */

import { invalidType } from './argument-errors.ts'
import { checkObject } from './arguments.ts'
import type { System } from './system.ts'

/** Something with a System's calls. */
export function checkSystem(value: unknown, name: string): System {
  if (typeof checkObject(value, name).fork !== 'function') throw invalidType(name, 'a System', value)
  return value as System
}
