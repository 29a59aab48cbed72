/** The second try of a launch without ASLR, where personality(2) refuses ADDR_NO_RANDOMIZE, as in some containers. */

import { SystemError } from '../../system/errors.ts'
import type { LaunchPlan } from './plan.ts'

let hasWarned = false

/**
 * The plan of the second try, after `error`: the same without the option. Undefined for any other error.
 *
 * No code of the caller has run yet, since the option comes before the gate. The warning comes once in a process.
 */
export function planWithoutAslr(plan: LaunchPlan, error: unknown): LaunchPlan | undefined {
  if (!(error instanceof SystemError) || error.step !== 'aslr') return undefined
  const settings = plan.optionActions.settings.filter(({ op }) => op !== 'aslr')
  if (settings.length === plan.optionActions.settings.length) return undefined
  if (!hasWarned) {
    hasWarned = true
    process.emitWarning(`aslr: false is refused here: ${error.message}; the memory layout is random`, {
      type: 'TracegateWarning',
      code: 'TRACEGATE_ASLR_REFUSED',
    })
  }
  return { ...plan, optionActions: { ...plan.optionActions, settings } }
}
