/** docs/proof.md tells the recorded counts. Each proof compares its own with them. */

import { expect, it } from 'vitest'
import { read } from '../support/pages.ts'
import { recordedCounts } from './protocol/prove.ts'

/** Proofs that docs/proof.md tells in one number: those of several acts, and the shares of one. */
const groups: readonly RegExp[] = [/^one fault: /, /^one preemption: /, /^(?:twice .*, two faults), share \d of \d$/]

function sums(): Map<string, number> {
  const all = new Map<string, number>()
  for (const [name, count] of Object.entries(recordedCounts)) {
    if (!groups.some(group => group.test(name))) continue
    const group = name.replace(/, share .*|: .*/, '')
    all.set(group, (all.get(group) ?? 0) + count)
  }
  return all
}

it('every count in the tables of docs/proof.md is that of a proof', () => {
  const rows = read('docs/proof.md').match(/^\|.*/gm) ?? []
  const told = rows
    .filter(row => !row.includes('TRACEGATE_PROOF=long'))
    .flatMap(row => row.split('|').slice(2))
    .flatMap(cell => cell.match(/\d[\d,]*/g) ?? [])
    .map(text => Number(text.replaceAll(',', '')))
  expect(told.length).toBeGreaterThan(100)
  const proven = new Set([...Object.values(recordedCounts), ...sums().values()])
  expect(told.filter(count => !proven.has(count))).toEqual([])
})
