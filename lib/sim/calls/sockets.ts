/** System calls on sockets. */

import { constants } from '../../system/constants.ts'
import type { ReceivedMessage } from '../../system/system.ts'
import {
  EACCES,
  EAFNOSUPPORT,
  EBADF,
  EINVAL,
  EMFILE,
  ENOTSOCK,
  EOPNOTSUPP,
  EPERM,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from '../base/results.ts'
import type { DescriptorTable } from '../files/descriptor-table.ts'
import { MessageSocket } from '../files/message-socket.ts'
import type { OpenFile } from '../files/open-file.ts'
import { BytesOnly, dropRights, type Received } from '../files/rights.ts'
import { StreamSocket } from '../files/stream-socket.ts'
import { UnixSocket } from '../files/unix-socket.ts'
import type { Task } from '../processes/task.ts'
import { fileOf } from './descriptors.ts'

const { SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET } = constants
const { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, MSG_CMSG_CLOEXEC, MSG_CTRUNC } = constants

const typeMask = 0xf
/** AF_MCTP, the last address family. Linux refuses higher numbers before it checks anything else. */
const lastFamily = 45
/** The last socket type; an old name for AF_PACKET. */
const SOCK_PACKET = 10
const [IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_MPTCP] = [1, 6, 17, 262]
/** NETLINK_ROUTE and NETLINK_USERSOCK. Other protocols depend on the kernel's configuration. */
const netlinkProtocols: ReadonlySet<number> = new Set([0, 2])
/** A flag of the kernel's own entry points for 32-bit programs, refused from any program. */
const MSG_CMSG_COMPAT = 0x80000000
/** sizeof(struct cmsghdr), and the size of credentials with it and with the padding. */
const controlHeader = 16
const credentialsBytes = controlHeader + 12
const credentialsSpace = 32

/**
 * The control buffer of a recvmsg. Descriptors get numbers as long as there is room. The rest are closed, and
 * MSG_CTRUNC reports it.
 */
class ControlBuffer implements Received<ReceivedMessage> {
  flags: number
  readonly #descriptors: DescriptorTable
  readonly #fits: number
  readonly #cutsCredentials: boolean = false
  readonly #fds: number[] = []

  constructor(task: Task, socket: UnixSocket, maxFds: number, flags: number) {
    this.#descriptors = task.process.descriptors
    this.flags = flags & MSG_CMSG_CLOEXEC
    let room = maxFds > 0 ? controlHeader + maxFds * 4 : 0
    if (socket.options.wantsCredentials) {
      // Credentials precede descriptors, and use the room first.
      this.#cutsCredentials = room < credentialsBytes
      room -= credentialsSpace
    }
    this.#fits = Math.max(0, Math.floor((room - controlHeader) / 4))
  }

  take(rights: readonly OpenFile[]): void {
    for (const file of rights) {
      const fits = this.#fds.length < this.#fits
      const fd = fits ? this.#descriptors.add(file, (this.flags & MSG_CMSG_CLOEXEC) !== 0) : -EMFILE
      if (fd < 0) this.flags |= MSG_CTRUNC
      else this.#fds.push(fd)
    }
    dropRights(rights)
  }

  answer(bytes: number, whole: boolean): ReceivedMessage {
    if (whole && this.#cutsCredentials) this.flags |= MSG_CTRUNC
    return { bytes, fds: this.#fds, flags: this.flags >>> 0 }
  }
}

/** The socket behind a descriptor, or the errno if there is none. */
function socketOf(task: Task, fd: number): UnixSocket | number {
  const file = fileOf(task, fd)
  if (file === undefined) return -EBADF
  return file instanceof UnixSocket ? file : -ENOTSOCK
}

/** socketpair(2). */
export function socketpair(task: Task, domain: number, type: number, protocol: number): [number, number] | number {
  const flags = type & ~typeMask
  if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) return -EINVAL
  const { descriptors } = task.process
  // Linux allocates the descriptors before it checks the other arguments.
  if (!descriptors.hasRoomForTwo()) return -EMFILE
  const kind = socketKind(domain, type & typeMask, protocol, task.kernel.privileged)
  if (kind < 0) return kind
  const make = () =>
    kind === SOCK_STREAM
      ? new StreamSocket(task.kernel, kind, flags & SOCK_NONBLOCK, task.process.id)
      : new MessageSocket(task.kernel, kind, flags & SOCK_NONBLOCK, task.process.id)
  const [one, other] = [make(), make()]
  one.peer = other
  other.peer = one
  const closeOnExec = (flags & SOCK_CLOEXEC) !== 0
  return [descriptors.add(one, closeOnExec), descriptors.add(other, closeOnExec)]
}

function socketKind(domain: number, type: number, protocol: number, privileged: boolean): number {
  if (domain < 0 || domain > lastFamily) return -EAFNOSUPPORT
  if (type > SOCK_PACKET) return -EINVAL
  if (domain !== AF_UNIX) return unpairedFamily(domain, type, protocol, privileged)
  if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT
  if (type === SOCK_RAW) return SOCK_DGRAM
  return type === SOCK_STREAM || type === SOCK_DGRAM || type === SOCK_SEQPACKET ? type : -ESOCKTNOSUPPORT
}

/** Other families allow sockets but no pairs. Errors of the type or the protocol take precedence. */
function unpairedFamily(domain: number, type: number, protocol: number, privileged: boolean): number {
  if (domain === AF_NETLINK) {
    if (type !== SOCK_RAW && type !== SOCK_DGRAM) return -ESOCKTNOSUPPORT
    return netlinkProtocols.has(protocol) ? -EOPNOTSUPP : -EPROTONOSUPPORT
  }
  if (domain !== AF_INET && domain !== AF_INET6) return -EAFNOSUPPORT
  if (type === SOCK_PACKET && domain === AF_INET) return -EOPNOTSUPP
  if (protocol < 0 || protocol > IPPROTO_MPTCP) return -EINVAL
  switch (type) {
    case SOCK_STREAM:
      return protocol === 0 || protocol === IPPROTO_TCP || protocol === IPPROTO_MPTCP ? -EOPNOTSUPP : -EPROTONOSUPPORT
    case SOCK_DGRAM:
      if (protocol === IPPROTO_ICMP && domain === AF_INET) return -EACCES
      return protocol === 0 || protocol === IPPROTO_UDP ? -EOPNOTSUPP : -EPROTONOSUPPORT
    case SOCK_RAW:
      if (protocol === 0) return -EPROTONOSUPPORT
      return privileged ? -EOPNOTSUPP : -EPERM
    default:
      return -ESOCKTNOSUPPORT
  }
}

/** send(2). */
export function send(task: Task, fd: number, data: Uint8Array, flags: number): number {
  const socket = socketOf(task, fd)
  return typeof socket === 'number' ? socket : socket.send(task, data, socket.callFlags(flags), [])
}

/** recv(2). */
export function recv(task: Task, fd: number, buffer: Uint8Array, flags: number): number {
  const socket = socketOf(task, fd)
  return typeof socket === 'number' ? socket : socket.receive(task, buffer, socket.callFlags(flags), new BytesOnly())
}

/** sendmsg(2) with SCM_RIGHTS. */
export function sendmsg(task: Task, fd: number, data: Uint8Array, fds: readonly number[], flags: number): number {
  if (flags & MSG_CMSG_COMPAT) return -EINVAL
  const socket = socketOf(task, fd)
  if (typeof socket === 'number') return socket
  return socket.send(task, data, socket.callFlags(flags), fds)
}

/** recvmsg(2) with room for `maxFds` descriptors. */
export function recvmsg(
  task: Task,
  fd: number,
  buffer: Uint8Array,
  maxFds: number,
  flags: number,
): ReceivedMessage | number {
  if (flags & MSG_CMSG_COMPAT) return -EINVAL
  const socket = socketOf(task, fd)
  if (typeof socket === 'number') return socket
  return socket.receive(task, buffer, socket.callFlags(flags), new ControlBuffer(task, socket, maxFds, flags))
}

/** shutdown(2). */
export function shutdown(task: Task, fd: number, how: number): number {
  const socket = socketOf(task, fd)
  return typeof socket === 'number' ? socket : socket.shutdown(how)
}

/** getsockopt(2) of an int. */
export function getsockopt(task: Task, fd: number, level: number, option: number): [value: number] | number {
  const socket = socketOf(task, fd)
  return typeof socket === 'number' ? socket : socket.getOption(level, option)
}

/** setsockopt(2) of an int. */
export function setsockopt(task: Task, fd: number, level: number, option: number, value: number): number {
  const socket = socketOf(task, fd)
  return typeof socket === 'number' ? socket : socket.setOption(level, option, value)
}
