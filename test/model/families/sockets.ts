/** Socket pairs: every flag, shutdowns, lost data, descriptors in messages, options. */

import { constants } from '../../../lib/system/constants.ts'
import type { Draft, FdKind } from '../draft.ts'
import type { ConstantName, Operation } from '../operations.ts'
import type { Weighted } from '../random.ts'
import { childRecipes } from './children.ts'
import type { Family, Recipe } from './family.ts'
import { descriptionRecipes, openPipe } from './pipes.ts'
import { socketSize, times } from './sizes.ts'

const { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET } = constants
const { SOCK_NONBLOCK, SOCK_CLOEXEC, SOL_SOCKET } = constants
const { MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_EOR, MSG_WAITALL, MSG_NOSIGNAL, MSG_MORE } = constants
const { MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_DONTROUTE } = constants

const kinds: readonly FdKind[] = ['stream', 'dgram', 'seqpacket']

/** Opens pairs of these types. */
function openPair(types: readonly number[]): Recipe {
  return draft => {
    if (draft.isCrowded) return undefined
    const { dice } = draft
    const to = [draft.newSlot(), draft.newSlot()]
    const type = (dice.of(types) | SOCK_NONBLOCK | (dice.oneIn(4) ? SOCK_CLOEXEC : 0)) >>> 0
    return { op: 'socketpair', to, domain: AF_UNIX, type, protocol: dice.oneIn(20) ? AF_UNIX : 0 }
  }
}

/** A pair with arguments that Linux may refuse. */
const openOddPair: Recipe = draft => {
  if (draft.isCrowded) return undefined
  const { dice } = draft
  const to = [draft.newSlot(), draft.newSlot()]
  const domain = dice.of([AF_UNIX, AF_UNIX, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 0, -1, 99])
  const flags = dice.bits([SOCK_NONBLOCK, SOCK_CLOEXEC, 0x10, 0x400], 4) | SOCK_NONBLOCK
  // Other protocols, and the right to use them, depend on the kernel's build and configuration.
  const protocol = dice.of(domain === AF_UNIX ? [0, 0, 1, 2, -1] : domain === AF_NETLINK ? [0, 1, -1] : [0, 6, 17, -1])
  const types = domain === AF_INET ? 9 : 12
  return { op: 'socketpair', to, domain, type: (dice.within(0, types) | flags) >>> 0, protocol }
}

const sendFlags = [MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE, MSG_EOR, MSG_DONTROUTE, MSG_TRUNC, MSG_PEEK]
const receiveFlags = [MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_NOSIGNAL, MSG_CTRUNC, MSG_CMSG_CLOEXEC]

function outFlags(draft: Draft): number {
  const { dice } = draft
  return (dice.bits(sendFlags, 8) | (dice.oneIn(25) ? MSG_OOB : 0)) >>> 0
}

function inFlags(draft: Draft): number {
  const { dice } = draft
  return (dice.bits(receiveFlags, 6) | (dice.oneIn(25) ? MSG_OOB : 0)) >>> 0
}

const write: Recipe = draft => ({
  op: 'write',
  fd: draft.fd(...kinds),
  bytes: socketSize(draft.dice),
  ...times(draft.dice),
})

const read: Recipe = draft => ({
  op: 'read',
  fd: draft.fd(...kinds),
  bytes: socketSize(draft.dice),
  ...times(draft.dice),
})

const send: Recipe = draft => ({
  op: 'send',
  fd: draft.fd(...kinds),
  bytes: socketSize(draft.dice),
  flags: outFlags(draft),
})

const recv: Recipe = draft => ({
  op: 'recv',
  fd: draft.fd(...kinds),
  bytes: socketSize(draft.dice),
  flags: inFlags(draft),
})

/** Descriptors to pass, which may include this socket and epolls; rarely more than a message may carry. */
const sendmsg: Recipe = draft => {
  const { dice } = draft
  const fd = draft.fd(...kinds)
  const tooMany = dice.oneIn(100)
  const fds = tooMany
    ? Array.from({ length: dice.of([253, 254]) }, () => draft.passable(fd))
    : Array.from({ length: dice.within(0, 3) }, () => (dice.oneIn(50) ? draft.stale() : draft.passable(fd)))
  return { op: 'sendmsg', fd, bytes: socketSize(dice), fds, flags: outFlags(draft) }
}

const recvmsg: Recipe = draft => {
  const { dice } = draft
  const room = draft.isCrowded ? 0 : dice.within(0, 4)
  const to = Array.from({ length: room }, () => draft.newSlot())
  return { op: 'recvmsg', fd: draft.fd(...kinds), bytes: socketSize(dice), to, flags: inFlags(draft) }
}

/** Urgent data, sent or taken. */
const urgent: Recipe = draft => {
  const { dice } = draft
  const common = { fd: draft.fd('stream', 'stream', ...kinds), bytes: dice.within(0, 4) }
  return { op: dice.of(['send', 'recv'] as const), ...common, flags: MSG_OOB | (dice.oneIn(5) ? MSG_PEEK : 0) }
}

const shutdown: Recipe = draft => ({
  op: 'shutdown',
  fd: draft.fd(...kinds),
  how: draft.dice.oneIn(15) ? draft.dice.of([-1, 3, 4]) : draft.dice.within(0, 2),
})

const options: readonly ConstantName[] = [
  'SO_ERROR',
  'SO_ERROR',
  'SO_SNDBUF',
  'SO_RCVBUF',
  'SO_TYPE',
  'SO_DOMAIN',
  'SO_PROTOCOL',
  'SO_ACCEPTCONN',
  'SO_PEERCRED',
  'SO_RCVLOWAT',
  'SO_SNDLOWAT',
  'SO_PEEK_OFF',
  'SO_PASSCRED',
  'SO_OOBINLINE',
  'SO_REUSEADDR',
  'SO_BROADCAST',
  'SO_KEEPALIVE',
  'SO_DONTROUTE',
  'SO_LINGER',
]

const getOption: Recipe = draft => ({
  op: 'getsockopt',
  fd: draft.fd(...kinds),
  level: draft.dice.oneIn(20) ? draft.dice.of([0, 6, 41, -1]) : SOL_SOCKET,
  option: draft.dice.oneIn(20) ? draft.dice.of([-1, 0, 999]) : draft.dice.of(options),
})

const setOption: Recipe = draft => {
  const { dice } = draft
  const level = dice.oneIn(30) ? dice.of([0, 6, 41, -1]) : SOL_SOCKET
  if (dice.oneIn(2)) {
    const value = dice.weighted<() => number>([
      [2, () => dice.within(0, 300_000)],
      [2, () => dice.of([0, 1, 2303, 2304, 4608, 10_000, 212_992, -1])],
      // Messages cost multiples of 256. A quarter of these buffers is such a multiple, or just misses one.
      [3, () => 512 * dice.within(4, 60) + dice.within(0, 3)],
    ])()
    return { op: 'setsockopt', fd: draft.fd(...kinds), level, option: dice.of(['SO_SNDBUF', 'SO_RCVBUF']), value }
  }
  const option = dice.of([
    'SO_RCVLOWAT',
    'SO_PEEK_OFF',
    'SO_PASSCRED',
    'SO_OOBINLINE',
    'SO_REUSEADDR',
    'SO_BROADCAST',
    'SO_TYPE',
    'SO_ERROR',
    'SO_LINGER',
    'SO_SNDLOWAT',
  ] as const)
  return {
    op: 'setsockopt',
    fd: draft.fd(...kinds),
    level,
    option,
    value: dice.of([0, 1, 2, 100, 5000, -1]),
  } as Operation
}

export const socketRecipes: readonly Weighted<Recipe>[] = [
  [16, write],
  [12, read],
  [12, send],
  [16, recv],
  [5, sendmsg],
  [6, recvmsg],
  [4, urgent],
  [2, shutdown],
  [3, getOption],
  [2, setOption],
  [1, openOddPair],
]

export const openAnyPair: Recipe = openPair([SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])

function socketFamily(name: string, types: readonly number[], children: readonly FdKind[]): Family {
  const open = openPair(types)
  return {
    name,
    length: 120,
    beginnings: [open, open],
    recipes: [
      [4, open],
      [1, openPipe],
      [1, draft => ({ op: 'epollCreate1', to: [draft.newSlot()], flags: 0 })],
      ...socketRecipes,
      ...descriptionRecipes,
      ...childRecipes(children, 2),
    ],
  }
}

export const streams: Family = socketFamily('streams', [SOCK_STREAM], ['stream'])
export const messages: Family = socketFamily('messages', [SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW], ['dgram', 'seqpacket'])
