/** The calls on descriptors, over the addon. */

import type { Calls, DescriptorCallName, SystemResults } from '../system/calls.ts'
import { SystemError } from '../system/errors.ts'
import type { Addon } from './addon.ts'
import { check } from './check-result.ts'
import type { LoopWatch } from './loop-watch.ts'
import { writeControlFile } from './proc.ts'

/** SCM_MAX_FD: the most descriptors that the kernel passes with one message. */
const mostDescriptors = 253

/**
 * The fcntl commands whose argument is a number or nothing: F_DUPFD to F_SETFL, F_SETOWN to F_GETSIG, F_SETLEASE to
 * F_CREATED_QUERY, F_DUPFD_CLOEXEC to F_GET_SEALS. Others (F_GETLK …) take an address: a number would make the kernel
 * write through it.
 */
const numberCommands = new Set([
  0, 1, 2, 3, 4, 8, 9, 10, 11, 1024, 1025, 1026, 1027, 1028, 1030, 1031, 1032, 1033, 1034,
])
/** Sent in place of all other commands. Linux lacks it, and so refuses it with EBADF or EINVAL. */
const noCommand = -1

export function descriptorCalls(addon: Addon, loop: LoopWatch): Calls<SystemResults, DescriptorCallName> {
  const pair = new Int32Array(2)
  return {
    pipe2(flags) {
      check('pipe2', addon.pipe2(flags, pair))
      return [pair[0]!, pair[1]!]
    },

    socketpair(domain, type, protocol) {
      check('socketpair', addon.socketpair(domain, type, protocol, pair))
      return [pair[0]!, pair[1]!]
    },

    read: (fd, buffer) => check('read', addon.read(fd, buffer)),
    write: (fd, data) => check('write', addon.write(fd, data)),
    send: (fd, data, flags) => check('send', addon.send(fd, data, flags)),
    recv: (fd, buffer, flags) => check('recv', addon.recv(fd, buffer, flags)),
    sendmsg: (fd, data, fds, flags) => check('sendmsg', addon.sendmsg(fd, data, Int32Array.from(fds), flags)),

    recvmsg(fd, buffer, maxFds, flags) {
      const room = Math.min(maxFds, mostDescriptors)
      const out = new Int32Array(2 + room)
      const bytes = check('recvmsg', addon.recvmsg(fd, buffer, room, flags, out))
      return { bytes, fds: [...out.subarray(2, 2 + out[1]!)], flags: out[0]! >>> 0 }
    },

    shutdown(fd, how) {
      check('shutdown', addon.shutdown(fd, how))
    },

    close(fd) {
      loop.forget(fd)
      check('close', addon.close(fd))
    },

    dup: fd => check('dup', addon.dup(fd)),

    dup3(fd, target, flags) {
      const result = check('dup3', addon.dup3(fd, target, flags))
      loop.forget(target)
      return result
    },

    fcntl: (fd, command, argument) =>
      check('fcntl', addon.fcntl(fd, numberCommands.has(command) ? command : noCommand, argument)),

    getsockopt(fd, level, option) {
      check('getsockopt', addon.getsockopt(fd, level, option, pair))
      return pair[0]!
    },

    setsockopt(fd, level, option, value) {
      check('setsockopt', addon.setsockopt(fd, level, option, value))
    },

    bytesReadable: fd => check('ioctl', addon.bytesReadable(fd)),
    writeFile: writeControlFile,

    openpty(rows, columns) {
      const result = addon.openpty(rows, columns, pair)
      if (result < 0) throw new SystemError({ errno: result, syscall: 'openpty', path: '/dev/ptmx' })
      return [pair[0]!, pair[1]!]
    },

    setWindowSize(fd, rows, columns) {
      check('ioctl', addon.setWindowSize(fd, rows, columns))
    },
  }
}
