/** What becomes of a launch without ASLR where personality(2) refuses ADDR_NO_RANDOMIZE, as some containers do. */

import { SystemError } from '../system/errors.ts'
import type { LaunchPlan } from './plan.ts'

let hasWarned = false

/**
 * The plan to launch again by, after `error`: the same without the option. Undefined where the error is another one.
 *
 * Nothing of the caller's has run yet: the option comes before the gate. It warns once for each process.
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
