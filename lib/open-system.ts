/** Chooses the System: the native one where the addon loads, else the simulated one. */

import { loadAddon } from './native/load-addon.ts'
import { NativeSystem } from './native/native-system.ts'
import { invalidValue } from './system/arguments.ts'
import { NativeUnavailableError } from './system/errors.ts'
import type { System } from './system/system.ts'

/** Which System to open. */
export type SystemChoice = 'auto' | 'native' | 'simulated'

const choices: readonly SystemChoice[] = ['auto', 'native', 'simulated']

let native: NativeSystem | undefined

function openNative(): System {
  native ??= new NativeSystem(loadAddon())
  return native
}

function openSimulated(): System {
  throw new NativeUnavailableError([new Error('the simulated system is not part of this version')])
}

function chosenByEnvironment(): SystemChoice {
  const value = process.env.TRACEGATE_SYSTEM
  if (value === undefined || value === '') return 'auto'
  if (value !== 'native' && value !== 'simulated') {
    throw invalidValue('TRACEGATE_SYSTEM', "must be 'native' or 'simulated'", value)
  }
  return value
}

/**
 * Opens the System. 'auto' is the native one on Linux when the addon loads; TRACEGATE_SYSTEM=native|simulated sets what it means.
 *
 * @throws NativeUnavailableError (ERR_NATIVE_UNAVAILABLE), with the cause of every attempt, when the native system is asked for and cannot be had.
 */
export function openSystem(choice: SystemChoice = 'auto'): System {
  if (!choices.includes(choice)) throw invalidValue('choice', "must be 'auto', 'native' or 'simulated'", choice)
  const meant = choice === 'auto' ? chosenByEnvironment() : choice
  return meant === 'simulated' ? openSimulated() : openNative()
}
