/**
 * Ten runs in a row of what races between a program's starter, its terminal, its adapter and its tool: none is lost.
 * TRACEGATE_PROOF=long asks for them; they take twenty minutes.
 */

import { describe, it } from 'vitest'

const isAsked = process.env.TRACEGATE_PROOF === 'long'
const runs = Array.from({ length: 10 }, (_, n) => n + 1)
const files = ['report', 'hold-in-terminal', '../rendezvous/rendezvous', 'match', 'with']

describe.each(files)('%s', file => {
  if (!isAsked) return it.skip('ten times [skipped: TRACEGATE_PROOF is not long]', () => {})
  describe.each(runs)('run %i', async run => {
    // The query makes a module of its own for each run.
    const module = new URL(`${file}.test.ts?run=${run}`, import.meta.url).href
    await import(/* @vite-ignore */ module)
  })
})
