/** Steps that must all run, even after one fails: closing, destroying, undoing. */

type Step<Of> = (of: Of) => void

/** Runs every step, then throws the error of the first that failed. Each is given `of`. */
export function takeEveryStep(steps: Iterable<Step<void>>): void
export function takeEveryStep<Of>(steps: Iterable<Step<Of>>, of: Of): void
export function takeEveryStep<Of>(steps: Iterable<Step<Of | undefined>>, of?: Of): void {
  const failures = failuresOf(steps, of)
  if (failures !== undefined) throw failures[0]
}

/** Runs every step after a failure. The steps' own errors are dropped: they would hide that failure. */
export function undoEveryStep(steps: Iterable<Step<void>>): void
export function undoEveryStep<Of>(steps: Iterable<Step<Of>>, of: Of): void
export function undoEveryStep<Of>(steps: Iterable<Step<Of | undefined>>, of?: Of): void {
  failuresOf(steps, of)
}

function failuresOf<Of>(steps: Iterable<Step<Of>>, of: Of): unknown[] | undefined {
  let failures: unknown[] | undefined
  for (const step of steps) {
    try {
      step(of)
    } catch (error) {
      failures ??= []
      failures.push(error)
    }
  }
  return failures
}
