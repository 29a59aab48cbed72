import { describe, expect, it } from 'vitest'
import { formatSchedule, parseSchedule, type Schedule } from '../../../lib/sim/explore/schedule.ts'

const deviating: Schedule = {
  faults: 2,
  choices: 100,
  deviations: [
    { at: 0, kind: 'step', chosen: 1, count: 2 },
    { at: 12, kind: 'step', chosen: 0, count: 3 },
    { at: 13, kind: 'signal', chosen: 1, count: 2 },
    { at: 20, kind: 'signal-thread', chosen: 1, count: 2 },
    { at: 21, kind: 'wake', chosen: 1, count: 2 },
    { at: 99, kind: 'fault', chosen: 2, count: 4 },
  ],
}

describe('a schedule', () => {
  it('of a run in which every choice fell by itself is tiny', () => {
    expect(formatSchedule({ faults: 0, choices: 1234, deviations: [] })).toBe('1:0+1234')
  })

  it('names the choices that did not', () => {
    expect(formatSchedule(deviating)).toBe('1:2+100,0s1/2,12s0/3,1d1/2,7t1/2,1w1/2,78f2/4')
  })

  it('is read as it was written', () => {
    expect(parseSchedule(formatSchedule(deviating))).toEqual(deviating)
  })

  it.each([
    ['', "it begins like '1:0+57'"],
    ['hello', "it begins like '1:0+57'"],
    ['1:0+5;', "it begins like '1:0+57'"],
    ['2:0+57', 'its version is 2'],
    ['1:0+57,', "'' is not a choice"],
    ['1:0+57,12x1/2', "'12x1/2' is not a choice"],
    ['1:0+57,12s2/2', "'12s2/2' is out of range"],
    ['1:0+57,57s1/2', "'57s1/2' is out of range"],
    ['1:0+57,3s1/2,0s1/2', "'0s1/2' is out of range"],
    ['1:0+99999999999999999999', "it begins like '1:0+57'"],
  ])('%j is refused: %s', (text, why) => {
    expect(() => parseSchedule(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    expect(() => parseSchedule(text)).toThrow(why)
  })
})
