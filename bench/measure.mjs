// Alternating runs and what is read off them.

/** Runs every contender in turn, `rounds` times, so that noise hits all alike; the samples of each. */
export async function alternate(contenders, rounds) {
  const samples = contenders.map(() => [])
  // Enough for the compiler to have done with all of it.
  const warmUp = Math.min(500, rounds)
  for (let round = -warmUp; round < rounds; round++) {
    for (const [i, { name, run }] of contenders.entries()) {
      const taken = await run()
      if (!(taken > 0)) throw new Error(`${name} failed`)
      if (round >= 0) samples[i].push(taken)
    }
  }
  return samples
}

/** The value below which a share of the samples lies. */
export function quantile(samples, share) {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
