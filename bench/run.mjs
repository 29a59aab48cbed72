// npm run bench: launches side by side, in one process, in turn. README.md explains the table.

import { cpus, release } from 'node:os'
import { contenders } from './contenders.mjs'
import { heldMemory } from './held.mjs'
import { alternate, quantile } from './measure.mjs'
import { simulatedBesideNative } from './simulated.mjs'

const rounds = Number(process.env.ROUNDS ?? 1000)
const heapGib = 2

const us = value => `${Math.round(value).toLocaleString('en-US')} us`
const verdict = (ratio, target) =>
  target === undefined ? '' : ratio <= target ? ` (<= ${target})` : ` (over ${target})`

function touchedBuffers(gib) {
  const buffers = []
  for (let i = 0; i < gib * 8; i++) buffers.push(Buffer.alloc(128 << 20, 1))
  return buffers
}

function print(cells) {
  const [name, ...rest] = cells
  console.log(`${name.padEnd(43)}${rest.map((cell, i) => cell.padStart([10, 10, 18, 13, 18][i])).join('')}`)
}

const all = contenders()
// Measured separately: after a fork the next write to every heap page copies it, at the cost of the other
// contenders.
const [ours, theirs] = [all.filter(({ isNode }) => !isNode), all.filter(({ isNode }) => isNode)]
const small = [...(await alternate(ours, rounds)), ...(await alternate(theirs, rounds))]
const buffers = touchedBuffers(heapGib)
const large = [...(await alternate(ours, Math.ceil(rounds / 3))), ...(await alternate(theirs, Math.ceil(rounds / 40)))]
buffers.length = 0
const memory = await heldMemory()
const beside = await simulatedBesideNative()

console.log(
  `Linux ${release()}, ${cpus()[0].model} x ${cpus().length}, Node ${process.versions.node}; ${rounds} rounds`,
)
console.log(`From nothing to /bin/true stopped at its exec (spawn, trace: false: started), medians\n`)
print(['', 'median', 'p90', 'of C (target)', `${heapGib} GiB heap`, 'of small heap'])
const reference = quantile(small[0], 0.5)
for (const [i, { name, target }] of all.entries()) {
  const median = quantile(small[i], 0.5)
  const withHeap = quantile(large[i], 0.5)
  const ratio = median / reference
  print([
    name,
    us(median),
    us(quantile(small[i], 0.9)),
    `${ratio.toFixed(2)}${verdict(ratio, target)}`,
    us(withHeap),
    `${(withHeap / median).toFixed(2)}${name.startsWith('tracegate launch()') ? verdict(withHeap / median, 1.25) : ''}`,
  ])
}
console.log('\n200 children held at their exec, of the parent for each (target: at most 32 KiB)')
for (const { name, kib } of memory) console.log(`  ${name.padEnd(20)} ${kib.toFixed(1)} KiB`)
const { pairs, launch } = beside
const perSecond = value => `${(value / 1e6).toFixed(2)} million/s`
console.log('\nThe simulated system beside the native one')
console.log(
  `  one-byte write and read through a pipe   ${perSecond(pairs.simulated)} (target: 1), native ${perSecond(pairs.native)}`,
)
const times = (launch.native / launch.simulated).toFixed(1)
console.log(
  `  launch, exec stop, exit                  ${us(launch.simulated)}, native ${us(launch.native)}: ${times} times faster (target: 10)`,
)
