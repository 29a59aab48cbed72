/** Pipes: slots, merges, packets, sizes, flags, ends closed and duplicated, and children that block on them. */

import { constants } from '../../../lib/system/constants.ts'
import type { Operation } from '../operations.ts'
import type { Weighted } from '../random.ts'
import { childRecipes } from './children.ts'
import type { Family, Recipe } from './family.ts'
import { pipeSize, times } from './sizes.ts'

const { O_NONBLOCK, O_DIRECT, O_CLOEXEC, O_EXCL, O_APPEND, O_NOATIME, O_ASYNC, O_CREAT, O_RDWR } = constants

/** A pipe, mostly non-blocking, so that the parent can read and write it. */
export const openPipe: Recipe = draft => {
  if (draft.isCrowded) return undefined
  const { dice } = draft
  const usual = O_NONBLOCK | dice.bits([O_CLOEXEC, O_DIRECT], 4)
  const flags = dice.oneIn(30) ? dice.bits([O_NONBLOCK, O_DIRECT, O_CLOEXEC, O_EXCL, O_APPEND, O_CREAT], 3) : usual
  return { op: 'pipe2', to: [draft.newSlot(), draft.newSlot()], flags }
}

const read: Recipe = draft => ({
  op: 'read',
  fd: draft.fd('reader'),
  bytes: pipeSize(draft.dice),
  ...times(draft.dice),
})

const write: Recipe = draft => ({
  op: 'write',
  fd: draft.fd('writer'),
  bytes: pipeSize(draft.dice),
  ...times(draft.dice),
})

const sizes = [0, 1, 4095, 4096, 4097, 8192, 16_384, 65_536, 65_537, 131_072, 1_048_576, 1_048_577, -1, -0x80000000]

const resize: Recipe = draft => ({
  op: 'fcntl',
  fd: draft.fd('reader', 'writer'),
  command: 'F_SETPIPE_SZ',
  argument: draft.dice.oneIn(3) ? draft.dice.within(0, 200_000) : draft.dice.of(sizes),
})

/** Flags that mostly keep O_NONBLOCK, without which the parent's reads and writes are passed over. */
export const setFlags: Recipe = draft => {
  const { dice } = draft
  const kept = dice.oneIn(12) ? 0 : O_NONBLOCK
  const argument = kept | dice.bits([O_DIRECT, O_APPEND, O_NOATIME, O_ASYNC, O_CLOEXEC, O_RDWR], 4)
  return { op: 'fcntl', fd: draft.anyFd(), command: 'F_SETFL', argument }
}

const getFlags: Recipe = draft => ({
  op: 'fcntl',
  fd: draft.anyFd(),
  command: draft.dice.of(['F_GETFL', 'F_GETFD', 'F_GETPIPE_SZ'] as const),
  argument: 0,
})

const dup: Recipe = draft => (draft.isCrowded ? undefined : { op: 'dup', fd: draft.anyFd(), to: [draft.newSlot()] })

const close: Recipe = draft => ({ op: 'close', fd: draft.dice.oneIn(20) ? draft.stale() : draft.anyFd() })

/** Makes room in a crowded program. */
const tidy: Recipe = draft => (draft.isCrowded ? ({ op: 'close', fd: draft.anyFd() } as Operation) : undefined)

export const pipeRecipes: readonly Weighted<Recipe>[] = [
  [3, openPipe],
  [30, read],
  [36, write],
  [4, resize],
]

export const descriptionRecipes: readonly Weighted<Recipe>[] = [
  [3, setFlags],
  [2, getFlags],
  [3, dup],
  [4, close],
  [6, tidy],
]

export const pipes: Family = {
  name: 'pipes',
  length: 150,
  beginnings: [openPipe, openPipe],
  recipes: [...pipeRecipes, ...descriptionRecipes, ...childRecipes(['reader', 'writer'], 2)],
}
