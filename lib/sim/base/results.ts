/**
 * What a system call returns inside the kernel: its result, a negative errno, or one of the special values below, which
 * programs never see.
 *
 * Errors are numbers, not exceptions: a failed non-blocking read must cost no more than a successful one.
 */

import { errnos } from '../../system/errno.ts'

export const EPERM = errnos.EPERM[0]
export const ENOENT = errnos.ENOENT[0]
export const ESRCH = errnos.ESRCH[0]
export const EINTR = errnos.EINTR[0]
export const EIO = errnos.EIO[0]
export const E2BIG = errnos.E2BIG[0]
export const EBADF = errnos.EBADF[0]
export const ECHILD = errnos.ECHILD[0]
export const EAGAIN = errnos.EAGAIN[0]
export const ENOMEM = errnos.ENOMEM[0]
export const EACCES = errnos.EACCES[0]
export const EFAULT = errnos.EFAULT[0]
export const EBUSY = errnos.EBUSY[0]
export const EEXIST = errnos.EEXIST[0]
export const ENOTDIR = errnos.ENOTDIR[0]
export const EISDIR = errnos.EISDIR[0]
export const EINVAL = errnos.EINVAL[0]
export const EMFILE = errnos.EMFILE[0]
export const ENOTTY = errnos.ENOTTY[0]
export const EPIPE = errnos.EPIPE[0]
export const EDEADLK = errnos.EDEADLK[0]
export const ENOSYS = errnos.ENOSYS[0]
export const ELOOP = errnos.ELOOP[0]
export const ENOPKG = errnos.ENOPKG[0]
export const ENOTSOCK = errnos.ENOTSOCK[0]
export const EMSGSIZE = errnos.EMSGSIZE[0]
export const ENOPROTOOPT = errnos.ENOPROTOOPT[0]
export const EPROTONOSUPPORT = errnos.EPROTONOSUPPORT[0]
export const ESOCKTNOSUPPORT = errnos.ESOCKTNOSUPPORT[0]
export const EOPNOTSUPP = errnos.EOPNOTSUPP[0]
export const EAFNOSUPPORT = errnos.EAFNOSUPPORT[0]
export const ECONNRESET = errnos.ECONNRESET[0]
export const ENOTCONN = errnos.ENOTCONN[0]
export const ECONNREFUSED = errnos.ECONNREFUSED[0]

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
