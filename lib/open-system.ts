/** Chooses the System: native if the addon loads, else simulated. */

import { loadAddon } from './native/load-addon.ts'
import { NativeSystem } from './native/native-system.ts'
import { packageFolder, requireModule } from './native/own-package.ts'
import { processStdio } from './native/process-stdio.ts'
import { isShortage } from './native/shortage.ts'
import { coded, invalidValue } from './system/argument-errors.ts'
import { NativeUnavailableError } from './system/errors.ts'
import { type OpenSimulated, providedSimulated } from './system/simulated-system.ts'
import type { System } from './system/system.ts'

/** The System to open. */
export type SystemChoice = 'auto' | 'native' | 'simulated'

const choices: readonly SystemChoice[] = ['auto', 'native', 'simulated']

let native: NativeSystem | undefined
// The resolution of 'auto', cached: reading the environment takes longer than a system call.
let automatic: System | undefined

/**
 * Opens the System.
 *
 * - 'auto': the native one on Linux if the addon loads. Otherwise a simulated one, and a warning (TRACEGATE_SIMULATED)
 *   with the reason. TRACEGATE_SYSTEM=native|simulated overrides the choice; it is read once, at the first use.
 * - 'native': the native one.
 * - 'simulated': a new world each time. 'auto' and 'native' return the same System each time.
 *
 * @throws NativeUnavailableError (ERR_NATIVE_UNAVAILABLE), with the cause of every attempt, if 'native' is unavailable.
 * 'auto' throws it, too, if a lack of descriptors or memory prevented the loading.
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
    // A shortage is temporary: a launch of a real program must not silently become a simulated one because of it.
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
    // Node cannot require a module whose import is still in progress.
    const how = "where 'tracegate/sim' is imported too, let that be done first"
    throw new Error(`the simulated system could not be loaded; ${how}`, { cause })
  }
  // The module registered itself when it loaded.
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

/** The error is about the environment variable, not about an argument. */
function wrongEnvironment(value: string): TypeError {
  const message = `TRACEGATE_SYSTEM must be native or simulated, not ${value}`
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE')
}
