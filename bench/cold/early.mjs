// The 20th to the 220th launch of a process, in turn with C's and child_process's. V8 has compiled little of it
// yet.

import { contenders } from '../contenders.mjs'
import { idle, quantile } from '../measure.mjs'

const [firstCounted, end] = [20, 220]
const all = contenders()
/** @param {string} name */
const byName = name => /** @type {(typeof all)[number]} */ (all.find(each => each.name.startsWith(name))).run
const runs = { reference: byName('C:'), launch: byName('tracegate launch()'), spawn: byName('child_process.spawn') }
/** @type {Record<string, any[]>} */
const samples = Object.fromEntries(Object.keys(runs).map(name => [name, []]))
for (let round = 0; round < end; round++) {
  for (const [name, run] of Object.entries(runs)) {
    await idle()
    const taken = await run()
    if (round >= firstCounted) samples[name].push(taken)
  }
}
const medians = Object.entries(samples).map(([name, taken]) => [name, quantile(taken, 0.5)])
console.log(JSON.stringify(Object.fromEntries(medians)))
