/** Two processes at the ends of a pair of sockets. */

import type { Calling, SimulatedProcess } from '../../../lib/sim/index.ts'
import { bytes, constants } from '../world.ts'
import { racingProgram } from './run.ts'

export type Part = (self: SimulatedProcess, fd: number) => Calling<unknown>

/**
 * Whether two processes at the ends of a pair race. One stores before or after its part of the exchange, the other
 * loads after its own part.
 */
export function racingPair(
  type: number,
  storing: Part,
  loading: Part,
  order: 'store first' | 'store last' = 'store first',
) {
  return racingProgram(function* (self, cell) {
    const [a, b] = yield* self.socketpair(constants.AF_UNIX, type)
    const pids = [
      yield* self.fork(function* (child) {
        yield* child.close(b)
        if (order === 'store first') yield* child.store(cell, 1)
        yield* storing(child, a)
        if (order === 'store last') yield* child.store(cell, 1)
      }),
      yield* self.fork(function* (child) {
        yield* child.close(a)
        yield* loading(child, b)
        yield* child.load(cell)
      }),
    ]
    for (const fd of [a, b]) yield* self.close(fd)
    for (const pid of pids) yield* self.waitpid(pid)
  })
}

export const send: Part = (self, fd) => self.send(fd, bytes(1))
export const receive: Part = (self, fd) => self.recv(fd, bytes(1))
