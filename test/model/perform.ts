/** Carries out one operation in one world and returns its observation. */

import { constants } from '../../lib/system/constants.ts'
import { copy, type Observation } from './compare.ts'
import type { Operation } from './operations.ts'
import { performForChildren } from './perform-children.ts'
import { EmptySlot, isNonBlocking, isSocket, numberOf, outcome, passedOver, type Session } from './session.ts'

const { F_DUPFD, F_DUPFD_CLOEXEC, F_SETFL, F_SETPIPE_SZ, MSG_DONTWAIT, O_NONBLOCK, SOCK_STREAM } = constants

/**
 * Most bytes of a call on a stream that a child works on too: one chunk. A longer call would race with the child on
 * another processor, and its result would not be deterministic.
 */
const mostBesideAReader = 2000
const mostBesideAWriter = 200

export function perform(session: Session, operation: Operation): Observation {
  try {
    return outcome(() => dispatch(session, operation))
  } catch (error) {
    if (error instanceof EmptySlot) return passedOver
    throw error
  }
}

function dispatch(session: Session, operation: Operation): Observation {
  const { system } = session.world
  switch (operation.op) {
    case 'pipe2':
      return opened(session, operation.to, system.pipe2(operation.flags))
    case 'socketpair': {
      const fds = system.socketpair(operation.domain, operation.type, operation.protocol)
      return opened(session, operation.to, fds, session.newRank())
    }
    case 'dup': {
      const fd = session.fd(operation.fd)
      return opened(session, operation.to, [system.dup(fd)], session.ranks.get(fd), fd)
    }
    case 'dup3': {
      const [fd, target] = [session.fd(operation.fd), session.fd(operation.target)]
      return opened(session, operation.to, [system.dup3(fd, target, operation.flags)], session.ranks.get(fd), fd)
    }
    case 'epollCreate1':
      return opened(session, operation.to, [system.epollCreate1(operation.flags)])
    case 'close': {
      const fd = session.fd(operation.fd)
      session.open.delete(fd)
      system.close(fd)
      return 'closed'
    }
    case 'fcntl':
      return fcntl(session, operation)
    case 'read':
    case 'write':
      return readOrWrite(session, operation)
    case 'send':
    case 'recv':
    case 'sendmsg':
    case 'recvmsg':
      return message(session, operation)
    case 'shutdown':
      system.shutdown(session.fd(operation.fd), operation.how)
      return 'shut down'
    case 'getsockopt': {
      const value = system.getsockopt(session.fd(operation.fd), operation.level, numberOf(operation.option))
      return operation.option === 'SO_PEERCRED' ? session.nameOf(value) : value
    }
    case 'setsockopt':
      system.setsockopt(session.fd(operation.fd), operation.level, numberOf(operation.option), operation.value)
      return 'set'
    case 'bytesReadable':
      return system.bytesReadable(session.fd(operation.fd))
    case 'poll':
      return system.poll(
        operation.fds.map(({ fd, events }) => ({ fd: session.fd(fd), events })),
        0,
      )
    case 'epollCtl': {
      const { control, events, data } = operation
      const event = events === undefined ? undefined : { events, data: data ?? 0 }
      system.epollCtl(session.fd(operation.epoll), numberOf(control), session.fd(operation.fd), event)
      return 'done'
    }
    case 'epollWait':
      // The order of events is that of the ready list, and is compared.
      return system.epollWait(session.fd(operation.epoll), operation.most, 0).map(({ events, data }) => [events, data])
    default:
      return performForChildren(session, operation)
  }
}

function opened(
  session: Session,
  to: readonly string[] | undefined,
  fds: readonly number[],
  rank?: number,
  original?: number,
): Observation {
  session.fill(to, fds, rank, original)
  return fds
}

function fcntl(session: Session, operation: Operation & { op: 'fcntl' }): Observation {
  const { system } = session.world
  const command = numberOf(operation.command)
  const argument = session.fd(operation.argument)
  if (command === F_SETPIPE_SZ && session.world.growsPipes && argument > 1 << 20) return passedOver
  const fd = session.fd(operation.fd)
  // A descriptor that a child works on must not become non-blocking: see mightSpin and mayWork.
  if (command === F_SETFL && argument & O_NONBLOCK && session.isShared(fd)) return passedOver
  const result = system.fcntl(fd, command, argument)
  const duplicates = command === F_DUPFD || command === F_DUPFD_CLOEXEC
  return duplicates ? opened(session, operation.to, [result], session.ranks.get(fd), fd) : result
}

function readOrWrite(session: Session, operation: Operation & { op: 'read' | 'write' }): Observation {
  const { system } = session.world
  const fd = session.fd(operation.fd)
  // A call that blocks would block the whole comparison: only children make those.
  if (!isNonBlocking(session, fd)) return passedOver
  const reads = operation.op === 'read'
  const bytes = atMost(session, fd, operation.bytes, reads)
  const once = () => (reads ? received(session, system.read(fd, session.buffer.subarray(0, bytes))) : write(bytes))
  const write = (count: number) => system.write(fd, session.data(count))
  // Between repeated calls children would move at different moments in the two worlds.
  const times = session.children.size > 0 ? 1 : (operation.times ?? 1)
  if (times === 1) return once()
  const results: Observation[] = []
  for (let i = 0; i < times; i++) {
    const result = outcome(() => copy(once()))
    results.push(result)
    if (typeof result === 'string') break
  }
  return results
}

/** The number of bytes of a call, limited to one chunk if children work on a stream. */
function atMost(session: Session, fd: number, bytes: number, reads: boolean): number {
  if (session.children.size === 0) return bytes
  const most = reads ? mostBesideAWriter : mostBesideAReader
  return bytes > most && isSocket(session, fd, SOCK_STREAM) ? most : bytes
}

/** How many bytes, and which. */
function received(session: Session, bytes: number): { bytes: number; data: Uint8Array } {
  return { bytes, data: session.buffer.subarray(0, Math.max(bytes, 0)) }
}

function message(
  session: Session,
  operation: Operation & { op: 'send' | 'recv' | 'sendmsg' | 'recvmsg' },
): Observation {
  const { system } = session.world
  const fd = session.fd(operation.fd)
  const flags = isNonBlocking(session, fd) ? operation.flags : operation.flags | MSG_DONTWAIT
  const reads = operation.op === 'recv' || operation.op === 'recvmsg'
  const bytes = atMost(session, fd, operation.bytes, reads)
  switch (operation.op) {
    case 'send':
      return system.send(fd, session.data(bytes), flags)
    case 'sendmsg': {
      const fds = operation.fds.map(each => session.fd(each))
      if (fds.some(each => mightMakeCycle(session, fd, each))) return passedOver
      return system.sendmsg(fd, { data: session.data(bytes), fds }, flags)
    }
    case 'recv': {
      const count = system.recv(fd, session.buffer.subarray(0, bytes), flags)
      // With MSG_TRUNC the count is the message's length, which may exceed the buffer.
      return { bytes: count, data: session.buffer.subarray(0, Math.min(count, bytes)) }
    }
    case 'recvmsg': {
      const { to } = operation
      const result = system.recvmsg(fd, { buffer: session.buffer.subarray(0, bytes), maxFds: to.length }, flags)
      session.fill(to, result.fds)
      const data = session.buffer.subarray(0, Math.min(result.bytes, bytes))
      return { bytes: result.bytes, data, fds: result.fds, flags: result.flags }
    }
  }
}

/**
 * Whether passing a socket could make a cycle: sockets held only by messages in each other's queues. Linux collects
 * such cycles on a kernel thread when some process closes a socket, at a time that is not comparable. Passing a socket
 * only over older pairs makes no cycle.
 */
function mightMakeCycle(session: Session, carrier: number, passed: number): boolean {
  if (!isSocket(session, passed)) return false
  const [outer, inner] = [session.ranks.get(carrier), session.ranks.get(passed)]
  return outer === undefined || inner === undefined || inner <= outer
}
