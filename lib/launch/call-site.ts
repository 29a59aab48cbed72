/** The stack at which an asynchronous function is called. Errors made by the event loop lack these frames. */

/** Construct it in the function itself, before its first await: its frames are then those that called it. */
export class CallSite {
  // Set by Error.captureStackTrace, where the engine has it.
  declare readonly stack?: unknown

  /** The frames above `callee`. */
  constructor(callee: (...args: never[]) => unknown) {
    Error.captureStackTrace?.(this, callee)
  }

  /** Replaces an error's stack, whose frames are the event loop's, by this one. */
  mark(error: Error): void {
    const { stack } = this
    const firstFrame = typeof stack === 'string' ? stack.indexOf('\n    at ') : -1
    if (firstFrame >= 0) error.stack = `${error.name}: ${error.message}${(stack as string).slice(firstFrame)}`
  }
}
