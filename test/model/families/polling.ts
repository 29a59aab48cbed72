/** epoll on every kind of file: level, edge, one shot, exclusive, nested; with descriptors duplicated and closed. */

import { constants } from '../../../lib/system/constants.ts'
import type { Draft } from '../draft.ts'
import type { Weighted } from '../random.ts'
import type { Family, Recipe } from './family.ts'
import { descriptionRecipes, openPipe, pipeRecipes } from './pipes.ts'
import { openAnyPair, socketRecipes } from './sockets.ts'

const { EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLRDNORM, EPOLLWRNORM } = constants
const { EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLL_CLOEXEC } = constants
const { POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL, POLLRDHUP, POLLRDNORM, POLLWRBAND } = constants

export const openEpoll: Recipe = draft =>
  draft.isCrowded
    ? undefined
    : { op: 'epollCreate1', to: [draft.newSlot()], flags: draft.dice.oneIn(10) ? draft.dice.of([1, EPOLL_CLOEXEC]) : 0 }

function mask(draft: Draft): number {
  const { dice } = draft
  const what = dice.bits([EPOLLIN, EPOLLOUT], 2) | dice.bits([EPOLLRDHUP, EPOLLPRI], 4)
  const odd = dice.oneIn(10) ? dice.bits([EPOLLERR, EPOLLHUP, EPOLLRDNORM, EPOLLWRNORM, 0x8000, 0x400], 3) : 0
  const how = (dice.oneIn(2) ? EPOLLET : 0) | (dice.oneIn(6) ? EPOLLONESHOT : 0) | (dice.oneIn(10) ? EPOLLWAKEUP : 0)
  return (what | odd | how) >>> 0
}

/** EPOLLEXCLUSIVE, mostly without flags that Linux refuses with it. */
function exclusive(draft: Draft): number {
  const { dice } = draft
  const beside = dice.oneIn(8)
    ? mask(draft)
    : dice.bits([EPOLLIN, EPOLLOUT, EPOLLET, EPOLLERR, EPOLLHUP, EPOLLWAKEUP], 2)
  return (beside | EPOLLEXCLUSIVE) >>> 0
}

const control: Recipe = draft => {
  const { dice } = draft
  const what = dice.weighted([
    [6, 'EPOLL_CTL_ADD'],
    [4, 'EPOLL_CTL_MOD'],
    [2, 'EPOLL_CTL_DEL'],
  ] as const)
  const known = what === 'EPOLL_CTL_ADD' || dice.oneIn(6) ? undefined : draft.registration()
  const fd = known?.fd ?? (dice.oneIn(8) ? draft.fd('epoll') : draft.anyFd())
  const common = { op: 'epollCtl', epoll: known?.epoll ?? draft.fd('epoll'), fd } as const
  if (dice.oneIn(60)) return { ...common, control: dice.of([0, 4, -1]), events: 1, data: 0 }
  if (dice.oneIn(60)) return { ...common, control: what }
  if (what === 'EPOLL_CTL_DEL') return { ...common, control: what, ...(dice.oneIn(2) ? { events: 0, data: 0 } : {}) }
  const events = dice.oneIn(what === 'EPOLL_CTL_ADD' ? 8 : 40) ? exclusive(draft) : mask(draft)
  return { ...common, control: what, events, data: draft.operations.length }
}

/** A readable or writable descriptor, added to an epoll. */
const register: Recipe = draft => ({
  op: 'epollCtl',
  epoll: draft.fd('epoll'),
  control: 'EPOLL_CTL_ADD',
  fd: draft.fd('reader', 'writer', 'stream', 'dgram', 'seqpacket'),
  events: mask(draft),
  data: draft.operations.length,
})

const wait: Recipe = draft => ({
  op: 'epollWait',
  epoll: draft.fd('epoll'),
  most: draft.dice.oneIn(40) ? draft.dice.of([0, -1]) : draft.dice.within(1, 8),
})

const pollEvents = [POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL, POLLRDHUP, POLLRDNORM, POLLWRBAND]

const poll: Recipe = draft => {
  const { dice } = draft
  const fds = Array.from({ length: dice.within(0, 5) }, () => ({
    fd: dice.oneIn(10) ? draft.stale() : draft.anyFd(),
    events: dice.bits(pollEvents, 3),
  }))
  return { op: 'poll', fds }
}

/** Epolls that watch each other, up to one level deeper than Linux allows, built from either end. */
const nest: Recipe = draft => {
  const { dice } = draft
  if (draft.isCrowded || draft.has('epoll') === dice.oneIn(2)) return undefined
  const chain = Array.from({ length: dice.within(3, 7) }, () => draft.newSlot())
  const opened = chain.map(slot => ({ op: 'epollCreate1', to: [slot], flags: 0 }) as const)
  const added = chain.slice(1).map((fd, i) => {
    const events = mask(draft)
    return { op: 'epollCtl', epoll: chain[i]!, control: 'EPOLL_CTL_ADD', fd, events, data: i } as const
  })
  return [...opened, ...(dice.oneIn(2) ? added : added.reverse())]
}

export const pollRecipes: readonly Weighted<Recipe>[] = [
  [2, openEpoll],
  [30, control],
  [50, wait],
  [4, poll],
  [1, nest],
]

export const polling: Family = {
  name: 'polling',
  length: 150,
  beginnings: [openEpoll, openPipe, openAnyPair, openEpoll, ...Array.from({ length: 6 }, () => register)],
  recipes: [
    ...pollRecipes,
    [2, openAnyPair],
    ...pipeRecipes.map(([weight, recipe]) => [Math.ceil(weight / 2), recipe] as const),
    ...socketRecipes.map(([weight, recipe]) => [Math.ceil(weight / 2), recipe] as const),
    ...descriptionRecipes,
  ],
}
