import { describe, expect, it } from 'vitest'
import type { Program } from '../../../lib/sim/index.ts'
import { bytes, exec, program } from '../world.ts'
import { watched } from './run.ts'

/** One call of a random program. */
interface Call {
  readonly kind: 'load' | 'store' | 'write' | 'read'
  /** Which cell, or which pipe. */
  readonly on: number
}

/** A call that was made, in the order of the run. */
interface Made extends Call {
  readonly process: number
}

const [processes, cells, pipes, mostCalls] = [3, 2, 3, 8]

/** Numbers below a limit, by a linear congruential generator. */
function numbersFrom(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

function randomCalls(next: (limit: number) => number): Call[] {
  return Array.from({ length: 1 + next(mostCalls) }, () => {
    const kind = (['load', 'store', 'write', 'read'] as const)[next(4)]!
    return { kind, on: next(kind === 'load' || kind === 'store' ? cells : pipes) }
  })
}

/** The calls made by random programs that pass single bytes through pipes, and the race found in them. */
function runRandom(seed: number) {
  const { kernel, host, detector } = watched(seed)
  const next = numbersFrom(seed)
  const shared = Array.from({ length: cells }, (_, index) => kernel.cell(0, `cell ${index}`))
  const ends = Array.from({ length: pipes }, () => host.pipe2())
  const made: Made[] = []
  for (let process = 0; process < processes; process++) {
    const calls = randomCalls(next)
    const main: Program = function* (self) {
      for (const { kind, on } of calls) {
        if (kind === 'load') yield* self.load(shared[on]!)
        else if (kind === 'store') yield* self.store(shared[on]!, process)
        else if (kind === 'write') yield* self.write(ends[on]![1], bytes(1))
        else yield* self.read(ends[on]![0], bytes(1))
        made.push({ process, kind, on })
      }
    }
    kernel.install(`/${process}`, main)
    host.fork(program(exec(`/${process}`)))
  }
  kernel.settle()
  return { made, race: detector.race }
}

/** For each call, all calls before it: earlier ones of its process, for a read the write of its byte, and theirs. */
function causes(made: readonly Made[]): Set<number>[] {
  const before: Set<number>[] = []
  const unread: number[][] = Array.from({ length: pipes }, () => [])
  const last = new Map<number, number>()
  for (const [index, { process, kind, on }] of made.entries()) {
    const direct = [last.get(process)]
    if (kind === 'write') unread[on]!.push(index)
    if (kind === 'read') direct.push(unread[on]!.shift())
    const all = new Set<number>()
    for (const cause of direct) {
      if (cause === undefined) continue
      all.add(cause)
      for (const each of before[cause]!) all.add(each)
    }
    before.push(all)
    last.set(process, index)
  }
  return before
}

/** The first call that races with an earlier one, and all calls it races with. */
function firstRace(made: readonly Made[]): { second: number; rivals: number[] } | undefined {
  const before = causes(made)
  const isAccess = ({ kind }: Made) => kind === 'load' || kind === 'store'
  for (const [second, access] of made.entries()) {
    if (!isAccess(access)) continue
    const rivals = [...made.keys()].filter(index => {
      const other = made[index]!
      if (index >= second || !isAccess(other) || other.on !== access.on || other.process === access.process)
        return false
      return (other.kind === 'store' || access.kind === 'store') && !before[second]!.has(index)
    })
    if (rivals.length > 0) return { second, rivals }
  }
  return undefined
}

/** Index of a cell's nth access among all calls. */
function placeOf(made: readonly Made[], cell: string, number: number): number {
  const places = [...made.keys()].filter(index => {
    const { kind, on } = made[index]!
    return (kind === 'load' || kind === 'store') && `cell ${on}` === cell
  })
  return places[number - 1]!
}

describe('random programs', () => {
  it('race exactly where following every cause of an access does not lead to the other', () => {
    const found = { races: 0, orders: 0 }
    for (let seed = 1; seed <= 1000; seed++) {
      const { made, race } = runRandom(seed)
      const expected = firstRace(made)
      if (race === undefined) {
        expect(expected, `seed ${seed}`).toBeUndefined()
        found.orders++
        continue
      }
      const [first, second] = race.accesses.map(({ number }) => placeOf(made, race.cell.name, number))
      expect(second, `seed ${seed}`).toBe(expected?.second)
      expect(expected?.rivals, `seed ${seed}`).toContain(first)
      found.races++
    }
    // Both outcomes have to be frequent for the comparison to mean something.
    expect(Math.min(found.races, found.orders)).toBeGreaterThan(100)
  })
})
