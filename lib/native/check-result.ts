/** Decodes the addon's answers: a result, or a negative errno. */

import { SystemError } from '../system/errors.ts'

export const eperm = -1
export const esrch = -3
export const echild = -10
export const enomem = -12
export const einval = -22
export const enodata = -61

/** The result; throws SystemError for a negative errno. */
export function check(syscall: string, result: number): number {
  if (result < 0) throw new SystemError({ errno: result, syscall })
  return result
}

/** Like {@link check}, for a call about a process. */
export function checkOf(pid: number, syscall: string, result: number): number {
  if (result < 0) throw new SystemError({ errno: result, syscall, pid })
  return result
}
