/** Steps that must all be taken, whatever becomes of the others: closing, destroying, undoing. */

type Step = () => void

/** Takes every step, then throws what the first that failed has thrown. */
export function takeEveryStep(steps: Iterable<Step>): void {
  const failures = failuresOf(steps)
  if (failures.length > 0) throw failures[0]
}

/** Takes every step on the way back from a failure. That failure is the cause to tell; those of the steps would hide it. */
export function undoEveryStep(steps: Iterable<Step>): void {
  failuresOf(steps)
}

function failuresOf(steps: Iterable<Step>): unknown[] {
  const failures: unknown[] = []
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}
