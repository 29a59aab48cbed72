/** The stack at which an asynchronous function is called. Errors made by the event loop lack these frames. */

/** An Error made in the function itself, before its first await. V8 makes one faster than it captures a stack. */
export type CallSite = Error

/** Replaces an error's stack, whose frames are the event loop's, with the frames that called the function of `site`. */
export function markCallers(error: Error, { stack }: CallSite): void {
  if (typeof stack !== 'string') return
  const frame = '\n    at '
  const callers = stack.indexOf(frame, stack.indexOf(frame) + 1)
  if (callers >= 0) error.stack = `${error.name}: ${error.message}${stack.slice(callers)}`
}
