/**
 * What a system call returns inside the kernel: its result, a negative errno, or one of the special values below, which
 * programs never see.
 *
 * Errors are numbers, not exceptions: a failed non-blocking read must cost no more than a successful one.
 */

export const EPERM = 1
export const ENOENT = 2
export const ESRCH = 3
export const EINTR = 4
export const EIO = 5
export const E2BIG = 7
export const EBADF = 9
export const ECHILD = 10
export const EAGAIN = 11
export const ENOMEM = 12
export const EACCES = 13
export const EFAULT = 14
export const EBUSY = 16
export const EEXIST = 17
export const ENOTDIR = 20
export const EISDIR = 21
export const EINVAL = 22
export const EMFILE = 24
export const ENOTTY = 25
export const EPIPE = 32
export const EDEADLK = 35
export const ENOSYS = 38
export const ELOOP = 40
export const ENOPKG = 65
export const ENOTSOCK = 88
export const EMSGSIZE = 90
export const ENOPROTOOPT = 92
export const EPROTONOSUPPORT = 93
export const ESOCKTNOSUPPORT = 94
export const EOPNOTSUPP = 95
export const EAFNOSUPPORT = 97
export const ECONNRESET = 104
export const ENOTCONN = 107
export const ECONNREFUSED = 111

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
