/** Steps that must all run, even after one fails: closing, destroying, undoing. */

type Step = () => void

/** Runs every step, then throws the error of the first that failed. */
export function takeEveryStep(steps: Iterable<Step>): void {
  const failures = failuresOf(steps)
  if (failures.length > 0) throw failures[0]
}

/** Runs every step after a failure. The steps' own errors are dropped: they would hide that failure. */
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
