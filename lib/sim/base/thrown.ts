/** What code of users throws: anything, and each look at it runs their code, which may throw in turn. */

type Class<Instance> = abstract new (...args: never[]) => Instance

/** `instanceof`, and false for a Proxy whose trap throws. */
export function isInstance<Instance>(thrown: unknown, of: Class<Instance>): thrown is Instance {
  try {
    return thrown instanceof of
  } catch {
    return false
  }
}

/** Whether it is an Error whose name and message can be read and are strings. */
export function isReadableError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error && typeof thrown.message === 'string' && typeof thrown.name === 'string'
  } catch {
    return false
  }
}

/** An error's message, and anything else as text. */
export function textOf(thrown: unknown): string {
  if (isReadableError(thrown)) return thrown.message
  try {
    return String(thrown)
  } catch {
    return `a value of type ${typeof thrown} that has no text`
  }
}
