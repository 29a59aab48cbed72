/** poll(2) and epoll(7): they look the descriptors up and call the files. */

import { constants } from '../../system/constants.ts'
import type { EpollEvent, PollRequest } from '../../system/system.ts'
import { EBADF, EFAULT, EINVAL, EPERM } from '../base/results.ts'
import { Epoll } from '../files/epoll.ts'
import { pollFiles } from '../files/poll.ts'
import type { Task } from '../processes/task.ts'
import { fileOf } from './descriptors.ts'

const { EPOLL_CLOEXEC, EPOLL_CTL_DEL } = constants

/** INT_MAX / sizeof(struct epoll_event): the kernel's limit. */
const mostEvents = 178_956_970

/** The deadline of a call with this timeout; undefined if it waits without end. */
function deadlineOf(task: Task, timeoutMs: number): number | undefined {
  return timeoutMs < 0 ? undefined : task.kernel.clock.now() + timeoutMs
}

/** poll(2). */
export function poll(task: Task, requests: readonly PollRequest[], timeoutMs: number): number[] | number {
  if (requests.length > task.process.descriptors.limit) return -EINVAL
  const polled = requests.map(({ fd, events }) => ({ fd, file: fileOf(task, fd), events: events & 0xffff }))
  return pollFiles(task, polled, deadlineOf(task, timeoutMs))
}

/** epoll_create1(2). */
export function epollCreate1(task: Task, flags: number): number {
  if (flags & ~EPOLL_CLOEXEC) return -EINVAL
  const { descriptors } = task.process
  const free = descriptors.lowestFree()
  return free < 0 ? free : descriptors.add(new Epoll(task.kernel), (flags & EPOLL_CLOEXEC) !== 0)
}

/** epoll_ctl(2). */
export function epollCtl(
  task: Task,
  epfd: number,
  operation: number,
  fd: number,
  event: EpollEvent | undefined,
): number {
  if (operation !== EPOLL_CTL_DEL && event === undefined) return -EFAULT
  const epoll = fileOf(task, epfd)
  const file = fileOf(task, fd)
  if (epoll === undefined || file === undefined) return -EBADF
  if (!file.pollable) return -EPERM
  if (!(epoll instanceof Epoll)) return -EINVAL
  return epoll.control(operation, fd, file, operation === EPOLL_CTL_DEL ? undefined : event)
}

/** epoll_wait(2). */
export function epollWait(task: Task, epfd: number, maxEvents: number, timeoutMs: number): EpollEvent[] | number {
  const epoll = fileOf(task, epfd)
  if (epoll === undefined) return -EBADF
  if (maxEvents <= 0 || maxEvents > mostEvents) return -EINVAL
  if (!(epoll instanceof Epoll)) return -EINVAL
  return epoll.wait(task, maxEvents, deadlineOf(task, timeoutMs))
}
