/** The library's own descriptors, kept above the numbers that have a meaning for a child. */

import { constants } from '../../system/constants.ts'
import type { Descriptors } from '../../system/system.ts'
import { undoEveryStep } from './every-step.ts'
import { closeOnce } from './owned-fd.ts'

const { F_DUPFD_CLOEXEC } = constants

/** The first number above the standard descriptors. */
export const firstOwn = 3

/**
 * Moves both ends of what `make` opens to `lowest` or above; they are close-on-exec.
 *
 * Where a standard descriptor is closed, the kernel gives its number to the next file. A child that inherits that
 * number would get the file.
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
