/** Failures for want of descriptors or memory: they say nothing about the request, and a later try may succeed. */

const codes: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM']
// dlopen's errors carry no errno. The dynamic loader appends its text.
const texts = /Too many open files|Cannot allocate memory/

/** Whether a file was unreadable or unloadable for want of descriptors or memory. */
export function isShortage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return codes.includes(code) || (code === 'ERR_DLOPEN_FAILED' && texts.test(error.message))
}
