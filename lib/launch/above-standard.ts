/** Descriptors of the library's own, kept out of the numbers that mean something to a child. */

import { constants } from '../system/constants.ts'
import type { Descriptors } from '../system/system.ts'
import { undoEveryStep } from './every-step.ts'
import { closeOnce } from './owned-fd.ts'

const { F_DUPFD_CLOEXEC } = constants

/** The first number that is no standard descriptor. */
export const firstOwn = 3

/**
 * Both ends of what `make` opens, at `lowest` or above; close-on-exec.
 *
 * Where a standard descriptor is closed the kernel gives its number to the next file: a child that inherits it would get that file.
 */
export function openAbove(
  system: Descriptors,
  make: () => [number, number],
  lowest: number = firstOwn,
): [number, number] {
  const ends = make()
  if (ends[0] >= lowest && ends[1] >= lowest) return ends
  const above: number[] = []
  try {
    for (const fd of ends) above.push(fd < lowest ? system.fcntl(fd, F_DUPFD_CLOEXEC, lowest) : fd)
  } catch (error) {
    undoEveryStep(Array.from(new Set([...ends, ...above]), fd => () => system.close(fd)))
    throw error
  }
  for (const fd of ends) if (!above.includes(fd)) closeOnce(system, fd)
  return [above[0]!, above[1]!]
}
