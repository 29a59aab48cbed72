/**
 * The errnos with which a call fails for lack of resources: those that its man page documents and the kernel's source
 * has a path to.
 *
 * ENFILE is left out: it is EMFILE of the whole system, and callers handle both alike.
 */

import { constants } from '../../system/constants.ts'
import type { Signal } from '../../system/signals.ts'
import { EAGAIN, EMFILE, ENOBUFS, ENOMEM, ENOSPC } from '../base/results.ts'
import { lastStandardSignal } from '../base/signal-numbers.ts'
import { signalIn } from '../calls/signal-info.ts'
import { signalWord } from '../calls/syscall-arguments.ts'
import { UnixSocket } from '../files/unix-socket.ts'
import type { Task } from '../processes/task.ts'

const { EPOLL_CTL_ADD, F_DUPFD, F_DUPFD_CLOEXEC } = constants

/** Calls that fail whatever their arguments. */
const always: Readonly<Record<string, readonly number[]>> = {
  pipe2: [EMFILE],
  socketpair: [EMFILE],
  openat: [EMFILE, ENOMEM],
  open: [EMFILE, ENOMEM],
  chdir: [ENOMEM],
  epoll_create1: [EMFILE, ENOMEM],
  fork: [EAGAIN, ENOMEM],
  vfork: [EAGAIN, ENOMEM],
  clone: [EAGAIN, ENOMEM],
  execve: [ENOMEM],
}

const none: readonly number[] = []
const noDescriptor: readonly number[] = [EMFILE]
const noMemory: readonly number[] = [ENOMEM]
/** The first is a user's limit, /proc/sys/fs/epoll/max_user_watches. */
const noWatch: readonly number[] = [ENOSPC, ENOMEM]
/** RLIMIT_SIGPENDING. */
const noSignalSlot: readonly number[] = [EAGAIN]
/** A socket's buffer. Memory for the descriptors of a message fails with ENOMEM. */
const noBuffer: readonly number[] = [ENOBUFS]
const noBufferOrMemory: readonly number[] = [ENOBUFS, ENOMEM]

/** Most descriptors that poll(2) keeps on the kernel's stack (N_STACK_PPS). More take allocated memory. */
const mostOnStack = 30

type Arguments = readonly unknown[]

/** Calls that fail with some of their arguments only. A bad descriptor is found before anything is allocated. */
const sometimes: Readonly<Record<string, (task: Task, args: Arguments) => readonly number[]>> = {
  dup: (task, [fd]) => (isOpen(task, fd) ? noDescriptor : none),
  fcntl: (task, [fd, command]) => {
    const duplicates = command === F_DUPFD || command === F_DUPFD_CLOEXEC
    return duplicates && isOpen(task, fd) ? noDescriptor : none
  },
  // EPOLL_CTL_MOD may allocate the wakeup source of EPOLLWAKEUP; the kernel does not look whether it could.
  epoll_ctl: (task, [epfd, operation, fd]) =>
    operation === EPOLL_CTL_ADD && isOpen(task, epfd) && isOpen(task, fd) ? noWatch : none,
  poll: (_, [requests]) => (Array.isArray(requests) && requests.length > mostOnStack ? noMemory : none),
  write: (task, [fd, data]) => (allocates(task, fd, data) ? noBuffer : none),
  send: (task, [fd, data]) => (allocates(task, fd, data) ? noBuffer : none),
  sendmsg: (task, [fd, message]) => {
    const { data, fds = none } = message as { readonly data: unknown; readonly fds?: Arguments }
    if (!allocates(task, fd, data)) return none
    return fds.length > 0 ? noBufferOrMemory : noBuffer
  },
  // Of kill(2) a real-time signal without a slot is sent all the same, without its siginfo.
  tgkill: (_, args) => (isRealTime(args[args.length - 1]) ? noSignalSlot : none),
  rt_tgsigqueueinfo: (_, [, , siginfo]) => (isRealTime(signalIn(siginfo as Uint8Array)) ? noSignalSlot : none),
}

/** The possible failures of a call that a task is about to make. */
export function shortages(task: Task, call: string, args: Arguments): readonly number[] {
  return always[call] ?? sometimes[call]?.(task, args) ?? none
}

function isOpen(task: Task, fd: unknown): boolean {
  return task.process.descriptors.get(fd as number) !== undefined
}

/** Whether a send of this data comes to allocate a buffer. */
function allocates(task: Task, fd: unknown, data: unknown): boolean {
  const file = task.process.descriptors.get(fd as number)
  return file instanceof UnixSocket && data instanceof Uint8Array && file.allocatesFor(data.length)
}

function isRealTime(signal: unknown): boolean {
  return (signalWord(signal as Signal) ?? 0) > lastStandardSignal
}
