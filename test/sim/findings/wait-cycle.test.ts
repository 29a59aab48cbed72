import { describe, expect, it } from 'vitest'
import { cycleOf } from '../../../lib/sim/findings/wait-cycle.ts'

const waits = (edges: Record<number, number[]>) =>
  Object.entries(edges).map(([pid, waitsFor]) => ({ pid: Number(pid), waitsFor }))

describe('the circle of a wait-for graph', () => {
  it.each([
    ['none where all waits end somewhere', { 100: [101], 101: [102], 102: [] }, []],
    ['one that waits for itself', { 100: [100] }, [100]],
    ['the shortest through the host', { 100: [101, 103], 101: [102], 102: [100], 103: [100] }, [100, 103]],
    [
      'the shortest of the others where the host is in none',
      { 100: [101], 101: [102], 102: [103, 101], 103: [101] },
      [101, 102],
    ],
  ])('is %s', (_, edges, expected) => {
    expect(cycleOf(waits(edges), 100)).toEqual(expected)
  })

  it('takes the waits of a process’s threads together', () => {
    const threads = [...waits({ 100: [101], 101: [] }), ...waits({ 101: [100] })]
    expect(cycleOf(threads, 100)).toEqual([100, 101])
  })
})
