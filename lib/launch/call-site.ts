/** Where an asynchronous function was called: the stack that its errors, made by the event loop, would lack. */

/** Captured at the call, which is cheap; put into words only for an error. */
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
