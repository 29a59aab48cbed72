/** Checks of arguments whose types are System's own: apart from the other checks, which System itself stands on. */

import { invalidType } from './argument-errors.ts'
import { checkObject } from './arguments.ts'
import type { ReadinessListener, System } from './system.ts'

/** Something with a System's calls. */
export function checkSystem(value: unknown, name: string): System {
  if (typeof checkObject(value, name).fork !== 'function') throw invalidType(name, 'a System', value)
  return value as System
}

/** The functions that a watch of readiness calls. */
export function checkReadinessListener(value: unknown, name = 'listener'): ReadinessListener {
  const { ready, failed } = checkObject(value, name)
  if (typeof ready !== 'function') throw invalidType(`${name}.ready`, 'of type function', ready)
  if (typeof failed !== 'function') throw invalidType(`${name}.failed`, 'of type function', failed)
  return { ready, failed } as ReadinessListener
}
