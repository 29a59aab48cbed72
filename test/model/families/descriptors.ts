/** Descriptor tables: lowest free numbers, duplicates, close-on-exec, and the limit. */

import { constants } from '../../../lib/system/constants.ts'
import type { Draft } from '../draft.ts'
import type { Fd } from '../operations.ts'
import type { Family, Recipe } from './family.ts'
import { openPipe, setFlags } from './pipes.ts'
import { openEpoll } from './polling.ts'
import { openAnyPair } from './sockets.ts'

const { O_CLOEXEC, O_NONBLOCK, FD_CLOEXEC } = constants

/** Numbers that a program may use, the last ones beyond the limit. */
const room = 24

function number(draft: Draft): Fd {
  const { dice } = draft
  if (dice.oneIn(10)) return dice.of([-1, -0x80000000, 0x7fffffff, 1 << 20])
  return `+${dice.within(0, room + 2)}`
}

const dup: Recipe = draft => ({ op: 'dup', fd: draft.anyFd(), to: [draft.newSlot()] })

const dup3: Recipe = draft => ({
  op: 'dup3',
  fd: draft.dice.oneIn(10) ? draft.stale() : draft.anyFd(),
  target: draft.dice.oneIn(3) ? draft.anyFd() : number(draft),
  to: [draft.newSlot()],
  flags: draft.dice.oneIn(10) ? draft.dice.of([1, O_NONBLOCK]) : draft.dice.of([0, O_CLOEXEC]),
})

const dupFrom: Recipe = draft => ({
  op: 'fcntl',
  fd: draft.anyFd(),
  command: draft.dice.of(['F_DUPFD', 'F_DUPFD_CLOEXEC'] as const),
  argument: number(draft),
  to: [draft.newSlot()],
})

const setCloseOnExec: Recipe = draft => ({
  op: 'fcntl',
  fd: draft.anyFd(),
  command: 'F_SETFD',
  argument: draft.dice.of([0, FD_CLOEXEC, 2, 3, -1]),
})

const ask: Recipe = draft => ({
  op: 'fcntl',
  fd: draft.dice.oneIn(10) ? draft.stale() : draft.anyFd(),
  command: draft.dice.of(['F_GETFD', 'F_GETFL', 'F_GETPIPE_SZ', 'F_GETSIG', 'F_GETOWN', 999, -1] as const),
  argument: 0,
})

const setSignal: Recipe = draft => ({
  op: 'fcntl',
  fd: draft.anyFd(),
  command: 'F_SETSIG',
  argument: draft.dice.of([0, 1, 29, 64, 65, -1]),
})

const close: Recipe = draft => ({ op: 'close', fd: draft.dice.oneIn(6) ? number(draft) : draft.anyFd() })

const pass: Recipe = draft => {
  const fd = draft.fd('stream', 'dgram', 'seqpacket')
  const fds = draft.dice.some([draft.passable(fd), draft.passable(fd), draft.passable(fd)], 5)
  return { op: 'sendmsg', fd, bytes: 1, fds: draft.dice.oneIn(8) ? [...fds, draft.stale()] : fds, flags: 0 }
}

const take: Recipe = draft => ({
  op: 'recvmsg',
  fd: draft.fd('stream', 'dgram', 'seqpacket'),
  bytes: 10,
  to: Array.from({ length: draft.dice.within(0, 5) }, () => draft.newSlot()),
  flags: draft.dice.of([0, 0, constants.MSG_CMSG_CLOEXEC, constants.MSG_PEEK]),
})

/** A wrong use of each kind of descriptor. */
const misuse: Recipe = draft => {
  const fd = draft.anyFd()
  return draft.dice.of([
    { op: 'read', fd, bytes: 5 },
    { op: 'write', fd, bytes: 5 },
    { op: 'send', fd, bytes: 5, flags: 0 },
    { op: 'recv', fd, bytes: 5, flags: 0 },
    { op: 'shutdown', fd, how: 0 },
    { op: 'getsockopt', fd, level: 1, option: 'SO_TYPE' },
    { op: 'fcntl', fd, command: 'F_SETPIPE_SZ', argument: 4096 },
    { op: 'epollCtl', epoll: fd, control: 'EPOLL_CTL_ADD', fd: draft.anyFd(), events: 1, data: 1 },
    { op: 'epollWait', epoll: fd, most: 2 },
    { op: 'bytesReadable', fd },
  ] as const)
}

export const descriptors: Family = {
  name: 'descriptors',
  length: 150,
  descriptorLimit: room,
  beginnings: [openPipe, openAnyPair],
  recipes: [
    [6, openPipe],
    [6, openAnyPair],
    [3, openEpoll],
    [12, dup],
    [14, dup3],
    [12, dupFrom],
    [6, setCloseOnExec],
    [8, ask],
    [2, setSignal],
    [18, close],
    [4, pass],
    [4, take],
    [8, misuse],
    [3, setFlags],
  ],
}
