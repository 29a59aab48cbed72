/** The addresses at which a step over a pair of exclusive accesses ends, by the instructions between them. */

import { describe, expect, it } from 'vitest'
import { exitsOf } from '../../../../lib/launch/tracing/memory/exclusive-sequences.ts'

const base = 0x40_0000n
/** Instructions before the tested ones: an ADD each. */
const filling = 64

const ldxr = 0xc85f_7c20
const stxr = 0xc802_7c23
const add = 0x9100_0403
const cmp = 0xeb04_001f
const ret = 0xd65f_03c0

/** CBNZ w2: by so many instructions. */
const cbnz = (by: number) => (0x3500_0002 | ((by & 0x7_ffff) << 5)) >>> 0
const bNe = (by: number) => (0x5400_0001 | ((by & 0x7_ffff) << 5)) >>> 0
const b = (by: number) => (0x1400_0000 | (by & 0x3ff_ffff)) >>> 0
const tbnz = (by: number) => (0x3700_0002 | ((by & 0x3fff) << 5)) >>> 0

/** The exits for a thread at the instruction `at` of these, as indexes among them. */
function exits(words: readonly number[], at: number, after = filling): number[] {
  const all = [...Array<number>(filling).fill(add), ...words, ...Array<number>(after).fill(add)]
  const memory = new Uint8Array(Uint32Array.from(all).buffer)
  const read = (address: bigint, length: number) => {
    const from = Number(address - base)
    return memory.subarray(from, from + length)
  }
  return exitsOf(base + BigInt(4 * (filling + at)), read).map(exit => Number(exit - base) / 4 - filling)
}

describe('a sequence of exclusive accesses', () => {
  it('is left behind the branch back to its load, at the load and at the store', () => {
    const counting = [ldxr, add, stxr, cbnz(-3), ret]
    expect(exits(counting, 0)).toEqual([4])
    expect(exits(counting, 2)).toEqual([4])
  })

  it('is left behind its store, where nothing tries again', () => {
    expect(exits([ldxr, add, stxr, ret], 0)).toEqual([3])
  })

  it('is left by a branch out of it, too, as from a compare and swap that has failed', () => {
    expect(exits([ldxr, cmp, bNe(4), stxr, cbnz(-4), ret, ret], 0)).toEqual([5, 6])
    expect(exits([ldxr, tbnz(5), stxr, cbnz(-3), ret, ret, ret], 2)).toEqual([4, 6])
    expect(exits([ldxr, b(-3), stxr, cbnz(-3), ret], 0)).toEqual([4, -2])
  })

  it('begins where the branch back goes, which may be before the load', () => {
    expect(exits([add, ldxr, cmp, bNe(-3), stxr, cbnz(-5), ret], 1)).toEqual([6])
  })

  it.each([
    ['LDAXR and STLXR', 0xc85f_fc20, 0xc802_fc23],
    ['bytes', 0x085f_7c20, 0x0802_7c23],
    ['words', 0x885f_7c20, 0x8802_7c23],
    ['pairs', 0xc87f_0820, 0xc823_0820],
  ])('may be one of %s', (_, load, store) => {
    expect(exits([load, add, store, cbnz(-3), ret], 0)).toEqual([4])
  })
})

describe('there is no sequence', () => {
  it.each([
    ['an ADD', add],
    ['CAS', 0xc8a0_7c41],
    ['CASP', 0x4820_7c82],
    ['LDAR', 0xc8df_fc20],
  ])('at %s', (_, word) => {
    expect(exits([word, stxr, cbnz(-2), ret], 0)).toEqual([])
  })

  it.each([
    ['a call', 0x9400_0010],
    ['a return', ret],
    ['a system call', 0xd400_0001],
    ['a barrier', 0xd503_3bbf],
    ['CLREX', 0xd503_305f],
  ])('where %s stands between the load and the store', (_, word) => {
    expect(exits([ldxr, word, stxr, cbnz(-3), ret], 0)).toEqual([])
    expect(exits([ldxr, word, stxr, cbnz(-3), ret], 2)).toEqual([])
  })

  it('where load and store are further apart than the architecture lets them succeed', () => {
    const between = (count: number) => [ldxr, ...Array<number>(count).fill(add), stxr, cbnz(-count - 2), ret]
    expect(exits(between(30), 0)).toEqual([33])
    expect(exits(between(40), 0)).toEqual([])
    expect(exits(between(40), 41)).toEqual([])
  })

  it('where the memory ends before the store, or at the very instruction', () => {
    expect(exits([ldxr, add], 0, 0)).toEqual([])
    expect(exits([], 0, 0)).toEqual([])
  })
})
