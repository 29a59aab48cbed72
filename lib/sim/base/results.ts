/**
 * What a system call returns inside the kernel: its result, a negative errno, or one of the special values below, which
 * programs never see.
 *
 * Errors are numbers, not exceptions: a failed non-blocking read must cost no more than a successful one.
 */

import { errnoOf } from '../../system/errno.ts'

export const EPERM = errnoOf('EPERM')!
export const ENOENT = errnoOf('ENOENT')!
export const ESRCH = errnoOf('ESRCH')!
export const EINTR = errnoOf('EINTR')!
export const EIO = errnoOf('EIO')!
export const E2BIG = errnoOf('E2BIG')!
export const EBADF = errnoOf('EBADF')!
export const ECHILD = errnoOf('ECHILD')!
export const EAGAIN = errnoOf('EAGAIN')!
export const ENOMEM = errnoOf('ENOMEM')!
export const EACCES = errnoOf('EACCES')!
export const EFAULT = errnoOf('EFAULT')!
export const EBUSY = errnoOf('EBUSY')!
export const EEXIST = errnoOf('EEXIST')!
export const ENOTDIR = errnoOf('ENOTDIR')!
export const EISDIR = errnoOf('EISDIR')!
export const EINVAL = errnoOf('EINVAL')!
export const EMFILE = errnoOf('EMFILE')!
export const ENOTTY = errnoOf('ENOTTY')!
export const EPIPE = errnoOf('EPIPE')!
export const EDEADLK = errnoOf('EDEADLK')!
export const ENAMETOOLONG = errnoOf('ENAMETOOLONG')!
export const ENOSYS = errnoOf('ENOSYS')!
export const ELOOP = errnoOf('ELOOP')!
export const ENOSPC = errnoOf('ENOSPC')!
export const ENOBUFS = errnoOf('ENOBUFS')!
export const ENOPKG = errnoOf('ENOPKG')!
export const ENOTSOCK = errnoOf('ENOTSOCK')!
export const EMSGSIZE = errnoOf('EMSGSIZE')!
export const ENOPROTOOPT = errnoOf('ENOPROTOOPT')!
export const EPROTONOSUPPORT = errnoOf('EPROTONOSUPPORT')!
export const ESOCKTNOSUPPORT = errnoOf('ESOCKTNOSUPPORT')!
export const EOPNOTSUPP = errnoOf('EOPNOTSUPP')!
export const EAFNOSUPPORT = errnoOf('EAFNOSUPPORT')!
export const ECONNRESET = errnoOf('ECONNRESET')!
export const ENOTCONN = errnoOf('ENOTCONN')!
export const ECONNREFUSED = errnoOf('ECONNREFUSED')!

/** The call cannot finish yet. The task waits, and a later attempt of its wait returns the result. */
export const blocked = -4096

/** Linux's ERESTARTSYS: a signal interrupted the call. It is restarted, or EINTR after a handler without SA_RESTART. */
export const restartOrEintr = -512
/** Linux's ERESTART_RESTARTBLOCK: as {@link restartOrEintr}, but EINTR after any handler. */
export const restartUnlessHandled = -516

/** Whether a result is a failure: a negative errno. */
export function isFailure(result: unknown): result is number {
  return typeof result === 'number' && result < 0 && result > blocked && !isRestart(result)
}

/** Whether the kernel still has to turn the result into EINTR or a restart. */
export function isRestart(result: unknown): boolean {
  return result === restartOrEintr || result === restartUnlessHandled
}
