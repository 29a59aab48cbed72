// Alternating runs and their statistics.

import { setImmediate } from 'node:timers/promises'

/** Lets the event loop finish. Otherwise it would handle one contender's SIGCHLDs within the time of the next. */
export async function idle() {
  for (let turns = 0; turns < 2; turns++) await setImmediate()
}

/**
 * Runs every contender once a round, so that noise hits all alike. Returns the samples of each.
 *
 * Each round has an order of its own: right behind one that runs the same code a contender is faster.
 */
export async function alternate(contenders, rounds) {
  const samples = contenders.map(() => [])
  // Long enough for V8 to compile everything: after 1,500 rounds a launch still takes 5 % more than after 6,000.
  const warmUp = Math.min(6000, 6 * rounds)
  for (let round = -warmUp; round < rounds; round++) {
    for (const i of shuffled(contenders.length)) {
      const { name, run } = contenders[i]
      await idle()
      const taken = await run()
      if (!(taken > 0)) throw new Error(`${name} failed`)
      if (round >= 0) samples[i].push(taken)
    }
  }
  return samples
}

/** The numbers below `count` in a random order. */
function shuffled(count) {
  const order = []
  for (let i = 0; i < count; i++) {
    const at = Math.floor(Math.random() * (i + 1))
    order[i] = order[at]
    order[at] = i
  }
  return order
}

/** The value below which this share of the samples lies. */
export function quantile(samples, share) {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
