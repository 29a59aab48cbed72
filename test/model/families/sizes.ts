/** Sizes of reads and writes: the bounds at which pipes and sockets behave differently, and sizes in between. */

import type { Dice } from '../random.ts'

const aroundSlots = [
  0, 1, 2, 3, 100, 2047, 2048, 2049, 4000, 4095, 4096, 4097, 8191, 8192, 8193, 12_288, 61_440, 65_535, 65_536, 65_537,
]
const aroundChunks = [
  0, 1, 2, 63, 64, 192, 193, 448, 449, 1728, 1729, 3776, 3777, 4096, 7872, 8192, 16_064, 16_065, 32_768, 36_543, 36_544,
  36_545, 65_536, 73_088, 106_432, 150_000, 212_959, 212_960, 212_961, 219_264,
]

/** For pipes. */
export function pipeSize(dice: Dice): number {
  switch (dice.within(0, 5)) {
    case 0:
    case 1:
      return dice.within(0, 200)
    case 2:
      return dice.within(0, 5000)
    case 3:
      return dice.within(0, 70_000)
    default:
      return dice.of(aroundSlots)
  }
}

/** For sockets. */
export function socketSize(dice: Dice): number {
  switch (dice.within(0, 6)) {
    case 0:
    case 1:
    case 2:
      return dice.within(0, 200)
    case 3:
      return dice.within(0, 5000)
    case 4:
      return dice.within(0, 230_000)
    default:
      return dice.of(aroundChunks)
  }
}

/** For any kind of descriptor. */
export function anySize(dice: Dice): number {
  return dice.oneIn(2) ? pipeSize(dice) : socketSize(dice)
}

/** Number of calls in a row, mostly 1. */
export function times(dice: Dice): { times?: number } {
  if (!dice.oneIn(8)) return {}
  return { times: dice.oneIn(2) ? dice.within(2, 20) : dice.within(20, 300) }
}
