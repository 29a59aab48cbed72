/** A failure as a program reads it. */

/** The step that failed, the errno's name or the error's code, the path, and the text. */
export function failureOf(error: unknown) {
  const { step = null, code = null, path = null } = error as { step?: string; code?: string; path?: string }
  return { step, code, path, message: error instanceof Error ? error.message : String(error) }
}
