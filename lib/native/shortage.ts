/** Failures that say nothing of what was asked, only that the machine or this process had too little left: a later try may succeed. */

const codes: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM']
// dlopen's errors have no errno; the dynamic loader puts its text at their end.
const texts = /Too many open files|Cannot allocate memory/

/** Whether a file could not be read or loaded for want of descriptors or memory. */
export function isShortage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return codes.includes(code) || (code === 'ERR_DLOPEN_FAILED' && texts.test(error.message))
}
