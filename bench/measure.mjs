// Alternating runs and their statistics.

import { setImmediate } from 'node:timers/promises'

/** Lets the event loop finish. Otherwise it would handle one contender's SIGCHLDs within the time of the next. */
export async function idle() {
  for (let turns = 0; turns < 2; turns++) await setImmediate()
}

/** Runs every contender in turn, `rounds` times, so that noise hits all alike. Returns the samples of each. */
export async function alternate(contenders, rounds) {
  const samples = contenders.map(() => [])
  // Long enough for V8 to compile everything: after 1,500 rounds a launch still takes 5 % more than after 6,000.
  const warmUp = Math.min(6000, 6 * rounds)
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, { name, run }] of contenders.entries()) {
      await idle()
      const taken = await run()
      if (!(taken > 0)) throw new Error(`${name} failed`)
      if (round >= 0) samples[i].push(taken)
    }
  }
  return samples
}

/** The value below which this share of the samples lies. */
export function quantile(samples, share) {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
