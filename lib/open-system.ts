/** Chooses the System: the native one where the addon loads, else the simulated one. */

import { loadAddon } from './native/load-addon.ts'
import { NativeSystem } from './native/native-system.ts'
import { packageFolder, requireModule } from './native/own-package.ts'
import { processStdio } from './native/process-stdio.ts'
import { isShortage } from './native/shortage.ts'
import { coded, invalidValue } from './system/argument-errors.ts'
import { NativeUnavailableError } from './system/errors.ts'
import { type OpenSimulated, providedSimulated } from './system/simulated-system.ts'
import type { System } from './system/system.ts'

/** Which System to open. */
export type SystemChoice = 'auto' | 'native' | 'simulated'

const choices: readonly SystemChoice[] = ['auto', 'native', 'simulated']

let native: NativeSystem | undefined
// What 'auto' has turned out to be: reading the environment takes longer than a system call.
let automatic: System | undefined

/**
 * Opens the System. 'auto' is the native one on Linux when the addon loads, else a simulated one, with a warning (TRACEGATE_SIMULATED) that says why;
 * TRACEGATE_SYSTEM=native|simulated, read the first time, sets what it means. 'auto' and 'native' are the same System each time, 'simulated' is a new world each time.
 *
 * @throws NativeUnavailableError (ERR_NATIVE_UNAVAILABLE), with the cause of every attempt, when 'native' is asked for and cannot be had; from 'auto', too,
 * where it could not be loaded for want of descriptors or memory.
 */
export function openSystem(choice: SystemChoice = 'auto'): System {
  if (!choices.includes(choice)) throw invalidValue('choice', "must be 'auto', 'native' or 'simulated'", choice)
  if (choice === 'native') return openNative()
  if (choice === 'simulated') return openSimulated()
  automatic ??= openAutomatic()
  return automatic
}

function openAutomatic(): System {
  const meant = chosenByEnvironment()
  if (meant === 'native') return openNative()
  if (meant === 'simulated') return openSimulated()
  try {
    return openNative()
  } catch (error) {
    // A launch that asks for a real program must not get an imagined one because of a moment without descriptors.
    if (!(error instanceof NativeUnavailableError) || error.causes.some(isShortage)) throw error
    process.emitWarning(`launching in the simulated system: ${error.message}`, {
      type: 'TracegateWarning',
      code: 'TRACEGATE_SIMULATED',
    })
    return openSimulated()
  }
}

function openNative(): System {
  native ??= new NativeSystem(loadAddon())
  return native
}

function openSimulated(): System {
  const open = providedSimulated() ?? loadSimulated()
  return open(processStdio())
}

function loadSimulated(): OpenSimulated {
  if (packageFolder() === undefined) {
    throw new Error("the simulated system is not in this bundle: import 'tracegate/sim' into it, before openSystem()")
  }
  try {
    requireModule('sim/index')
  } catch (cause) {
    // Node cannot require a module whose import is still under way.
    const how = "where 'tracegate/sim' is imported too, let that be done first"
    throw new Error(`the simulated system could not be loaded; ${how}`, { cause })
  }
  // It has provided itself.
  return providedSimulated()!
}

function chosenByEnvironment(): SystemChoice {
  const value = process.env.TRACEGATE_SYSTEM
  if (value === undefined || value === '') return 'auto'
  if (value !== 'native' && value !== 'simulated') {
    throw wrongEnvironment(value)
  }
  return value
}

/** No argument of a caller's: the variable comes from outside. */
function wrongEnvironment(value: string): TypeError {
  const message = `TRACEGATE_SYSTEM must be native or simulated, not ${value}`
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE')
}
