/** System calls on descriptors: they look the number up, check access and flags, and call the file. */

import { constants } from '../../system/constants.ts'
import { EBADF, EINVAL, EMFILE, ENOPKG, ENOTTY, ESRCH } from '../base/results.ts'
import { isValidSignal } from '../base/signal-numbers.ts'
import type { OpenFile } from '../files/open-file.ts'
import { Pipe } from '../files/pipe.ts'
import { PipeReadEnd } from '../files/pipe-read-end.ts'
import { PipeWriteEnd } from '../files/pipe-write-end.ts'
import type { Task } from '../processes/task.ts'

const { O_CLOEXEC, O_NONBLOCK, O_DIRECT, O_EXCL, FD_CLOEXEC } = constants

/** The file behind a descriptor; undefined means EBADF. */
export function fileOf(task: Task, fd: number): OpenFile | undefined {
  const file = task.process.descriptors.get(fd)
  if (file !== undefined) task.kernel.trace.used?.(file)
  return file
}

/** pipe2(2). */
export function pipe2(task: Task, flags: number): [number, number] | number {
  if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL)) return -EINVAL
  // O_EXCL requests a notification pipe, which needs a special kernel configuration.
  if (flags & O_EXCL) return -ENOPKG
  const { descriptors } = task.process
  if (!descriptors.hasRoomForTwo()) return -EMFILE
  const pipe = new Pipe(task.kernel)
  const [reader, writer] = [new PipeReadEnd(pipe, flags), new PipeWriteEnd(pipe, flags)]
  const closeOnExec = (flags & O_CLOEXEC) !== 0
  return [descriptors.add(reader, closeOnExec), descriptors.add(writer, closeOnExec)]
}

/** read(2). */
export function read(task: Task, fd: number, buffer: Uint8Array): number {
  const file = fileOf(task, fd)
  return file?.readable ? file.read(task, buffer) : -EBADF
}

/** write(2). */
export function write(task: Task, fd: number, data: Uint8Array): number {
  const file = fileOf(task, fd)
  return file?.writable ? file.write(task, data) : -EBADF
}

/** close(2). */
export function close(task: Task, fd: number): number {
  return task.process.descriptors.remove(fd)
}

/** dup(2). */
export function dup(task: Task, fd: number): number {
  const file = fileOf(task, fd)
  return file === undefined ? -EBADF : task.process.descriptors.add(file, false)
}

/** dup3(2). */
export function dup3(task: Task, fd: number, target: number, flags: number): number {
  const { descriptors } = task.process
  if (flags & ~O_CLOEXEC || fd === target) return -EINVAL
  if (target < 0 || target >= descriptors.limit) return -EBADF
  const file = fileOf(task, fd)
  if (file === undefined) return -EBADF
  descriptors.replace(target, file, (flags & O_CLOEXEC) !== 0)
  return target
}

/** ioctl(2) FIONREAD. */
export function bytesReadable(task: Task, fd: number): number {
  const file = fileOf(task, fd)
  if (file === undefined) return -EBADF
  task.kernel.trace.byteCountSeen?.(file)
  return file.readableBytes()
}

/** ioctl(2) TIOCSWINSZ: no simulated file is a terminal. */
export function setWindowSize(task: Task, fd: number): number {
  return fileOf(task, fd) === undefined ? -EBADF : -ENOTTY
}

/** fcntl(2): the commands that take an integer or nothing. */
export function fcntl(task: Task, fd: number, command: number, argument: number): number {
  const file = fileOf(task, fd)
  if (file === undefined) return -EBADF
  const { descriptors } = task.process
  switch (command) {
    case constants.F_DUPFD:
    case constants.F_DUPFD_CLOEXEC:
      if (argument < 0 || argument >= descriptors.limit) return -EINVAL
      return descriptors.add(file, command === constants.F_DUPFD_CLOEXEC, argument)
    case constants.F_GETFD:
      return descriptors.closesOnExec(fd) ? FD_CLOEXEC : 0
    case constants.F_SETFD:
      descriptors.setCloseOnExec(fd, (argument & FD_CLOEXEC) !== 0)
      return 0
    case constants.F_GETFL:
      return file.flags
    case constants.F_SETFL:
      return file.setStatusFlags(argument)
    case constants.F_GETPIPE_SZ:
      return file.pipeSize()
    case constants.F_SETPIPE_SZ:
      return file.resizePipe(argument)
    case constants.F_GETOWN:
      return file.owner
    case constants.F_SETOWN:
      return setOwner(task, file, argument)
    case constants.F_GETSIG:
      return file.ownerSignal
    case constants.F_SETSIG:
      if (!isValidSignal(argument)) return -EINVAL
      file.ownerSignal = argument
      return 0
    default:
      return -EINVAL
  }
}

/** F_SETOWN: a process, or a group as a negative number. */
function setOwner(task: Task, file: OpenFile, owner: number): number {
  const { processes } = task.kernel
  task.kernel.trace.numbersUsed?.()
  if (owner === -0x80000000) return -EINVAL
  const found = owner >= 0 ? processes.has(owner) : [...processes.values()].some(({ group }) => group === -owner)
  if (owner !== 0 && !found) return -ESRCH
  file.owner = owner
  return 0
}
