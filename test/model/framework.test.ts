/** Tests the comparison itself: it finds differences, shrinks them to few operations, and reports none falsely. */

import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import { describeNative } from '../support/describe-native.ts'
import { rounds } from '../support/rounds.ts'
import { seedOf } from '../support/seed.ts'
import { checkFamily, type Pair, replay } from './check.ts'
import { type Observation, same } from './compare.ts'
import { type FamilyName, familyOf } from './families/index.ts'
import { isOwnGroupOrphaned, withWorlds } from './machine.ts'
import { type Operation, parseProgram, printProgram } from './operations.ts'
import { perform } from './perform.ts'
import { report } from './run-program.ts'
import { passedOver, Session } from './session.ts'
import { simulatedWorlds } from './simulated-world.ts'
import type { WorldKind } from './world.ts'

const { SHUT_WR, POLLIN } = constants

/** Simulated worlds in which some calls give wrong answers. */
function wrongWorlds(change: (system: System) => Partial<System>): WorldKind {
  const right = simulatedWorlds(10, false, {})
  return {
    ...right,
    name: 'wrong',
    open: () => {
      const world = right.open()
      return { ...world, name: 'wrong', system: { ...world.system, ...change(world.system) } }
    },
  }
}

function divergenceOf(family: FamilyName, wrong: (system: System) => Partial<System>) {
  const worlds: Pair = { one: simulatedWorlds(10, false, {}), other: wrongWorlds(wrong) }
  const { divergence } = checkFamily(familyOf(family, false), worlds, { operations: 20_000, seed: 1 })
  if (divergence === undefined) throw new Error('the wrong system was not found out')
  return divergence
}

/** Mutants with one wrong answer each, and the family that has to find it. */
const mistakes: readonly (readonly [title: string, family: FamilyName, wrong: (system: System) => Partial<System>])[] =
  [
    [
      'a write of a whole page that gives one byte too few',
      'pipes',
      system => ({ write: (fd, data) => system.write(fd, data) - (data.length === 4096 ? 1 : 0) }),
    ],
    [
      'a byte that is not the one that was written',
      'streams',
      system => ({
        recv: (fd, buffer, flags) => {
          const count = system.recv(fd, buffer, flags)
          if (count > 100) buffer[100]! ^= 1
          return count
        },
      }),
    ],
    [
      'a shutdown that does nothing',
      'messages',
      system => ({ shutdown: (fd, how) => (how === SHUT_WR ? undefined : system.shutdown(fd, how)) }),
    ],
    [
      'an epoll that forgets every modification',
      'polling',
      system => ({
        epollCtl: (epfd, op, fd, event) =>
          op === constants.EPOLL_CTL_MOD && event !== undefined && event.events === POLLIN
            ? undefined
            : system.epollCtl(epfd, op, fd, event),
      }),
    ],
    [
      'a duplicate that does not take the lowest number',
      'descriptors',
      system => ({ dup: fd => system.fcntl(fd, constants.F_DUPFD, 16) }),
    ],
    [
      'a wait that gives another status',
      'processes',
      system => ({
        waitpid: (pid, options) => {
          const result = system.waitpid(pid, options)
          return result === null ? null : { ...result, raw: result.raw & 0xffff }
        },
        kill: (pid, signal) => system.kill(pid, signal === 'SIGSTOP' ? 'SIGWINCH' : signal),
      }),
    ],
  ]

describe('the model comparison', () => {
  it.each(mistakes)('finds %s, and shrinks the program to five operations at most', (_, family, wrong) => {
    const divergence = divergenceOf(family, wrong)
    expect(divergence.program.operations.length).toBeLessThanOrEqual(5)
    expect(divergence.message).toMatch(/differs:\n {2}simulated {2}.+\n {2}wrong {6}.+/)
  })

  it('prints a failing program in a form that fails again', () => {
    const wrong = (system: System): Partial<System> => ({ dup: fd => system.fcntl(fd, constants.F_DUPFD, 16) })
    const divergence = divergenceOf('descriptors', wrong)
    const again = parseProgram(printProgram(divergence.program))
    expect(again).toEqual(divergence.program)
    const worlds: Pair = { one: simulatedWorlds(10, false, {}), other: wrongWorlds(wrong) }
    expect(report(replay(again, worlds)!)).toBe(report(divergence))
  })

  it('makes the same programs from the same seed', () => {
    const wrong = (system: System): Partial<System> => ({ dup: fd => system.fcntl(fd, constants.F_DUPFD, 16) })
    expect(report(divergenceOf('mixed', wrong))).toBe(report(divergenceOf('mixed', wrong)))
  })

  it.each<readonly [Observation, Observation, boolean]>([
    [{ bytes: 1, data: new Uint8Array([1]) }, { bytes: 1, data: new Uint8Array([1]) }, true],
    [{ bytes: 1, data: new Uint8Array([1]) }, { bytes: 1, data: new Uint8Array([2]) }, false],
    [[1, [2, 3]], [1, [2, 3]], true],
    [[1, [2, 3]], [1, [3, 2]], false],
    [{ fds: [] }, { fds: {} }, false],
    [{ pid: 'host' }, { pid: 'host', uid: 1 }, false],
    ['EAGAIN', 'EPIPE', false],
    [null, 0, false],
  ])('tells whether %j and %j are the same: %j', (one, other, expected) => {
    expect(same(one, other)).toBe(expected)
  })
})

describeNative('the model comparison on the real kernel alone', () => {
  const operations = rounds(400, 2000)
  it.each<FamilyName>(['pipes', 'streams', 'messages', 'polling', 'descriptors', 'processes', 'mixed'])(
    'finds that it agrees with itself about %s',
    name => {
      const family = familyOf(name, isOwnGroupOrphaned())
      const { operations: made, divergence } = withWorlds(family, ({ one }) =>
        checkFamily(family, { one }, { operations, seed: seedOf(name) }),
      )
      expect(divergence && report(divergence)).toBeUndefined()
      expect(made).toBeGreaterThanOrEqual(operations)
    },
  )
})

describe('children at one pipe', () => {
  const pipe = { op: 'pipe2', to: ['r', 'w'], flags: 0 } as const
  const reads = { op: 'read', fd: 'r', bytes: 1 } as const
  const writes = { op: 'write', fd: 'w', bytes: 1 } as const
  const fork = (child: string, ...steps: (typeof reads | typeof writes)[]) => ({ op: 'fork', child, steps }) as const
  /** The results of the operations of a program. */
  const results = (operations: readonly Operation[]) => {
    const session = new Session(simulatedWorlds(10, false, {}).open())
    return operations.map(operation => {
      const result = perform(session, operation)
      session.settle()
      return result
    })
  }

  it('do not race for its bytes: of several, each makes one call', () => {
    expect(results([pipe, fork('a', reads), fork('b', writes)]).slice(1)).toEqual(['forked', 'forked'])
    expect(results([pipe, fork('a', reads), fork('b', writes, reads)]).slice(1)).toEqual(['forked', passedOver])
    expect(results([pipe, fork('a', reads, reads), fork('b', reads)]).slice(1)).toEqual(['forked', passedOver])
  })
})
