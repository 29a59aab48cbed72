/** Where an asynchronous function is awaited: the stack that its errors, made by the event loop, would lack. */

/**
 * Captured in the function itself, at its call or after an await: then its frames are those of the functions that await it.
 */
export class CallSite {
  // Made by Error.captureStackTrace where there is one.
  declare readonly stack?: unknown

  /** The frames above `callee`. */
  constructor(callee: (...args: never[]) => unknown) {
    Error.captureStackTrace?.(this, callee)
  }

  /** Gives an error this stack in place of its own, whose frames are the event loop's. */
  mark(error: Error): void {
    const { stack } = this
    const firstFrame = typeof stack === 'string' ? stack.indexOf('\n    at ') : -1
    if (firstFrame >= 0) error.stack = `${error.name}: ${error.message}${(stack as string).slice(firstFrame)}`
  }
}
