/** The check of a System argument. It is apart from the other checks, on which System itself depends. */

import { invalidType } from './argument-errors.ts'
import { checkObject } from './arguments.ts'
import type { System } from './system.ts'

/** An object with a System's calls. */
export function checkSystem(value: unknown, name: string): System {
  if (typeof checkObject(value, name).fork !== 'function') throw invalidType(name, 'a System', value)
  return value as System
}
