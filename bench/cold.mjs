// npm run bench:cold: the first launch of a process, and the 20th to 220th, beside child_process's and C's. Each
// runs in its own processes, in turn.

import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { quantile } from './measure.mjs'

const rounds = Number(process.env.ROUNDS ?? 30)
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const program = name => [fileURLToPath(new URL(`cold/${name}.mjs`, import.meta.url))]

/** The output of a program: one JSON object of figures. */
function figures(args) {
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }))
}

/** A process's run time from start to end, in milliseconds. */
function wholeProcess(args) {
  const start = performance.now()
  execFileSync(process.execPath, args, { stdio: 'ignore' })
  return { whole: performance.now() - start }
}

const contenders = {
  spawn: () => figures(program('spawn')),
  launch: () => figures(program('launch')),
  early: () => figures(['--expose-gc', ...program('early')]),
  empty: () => wholeProcess(['-e', '0']),
  command: () => wholeProcess([command, 'run', '--', '/bin/true']),
}

/** @type {Record<string, any[]>} */
const samples = Object.fromEntries(Object.keys(contenders).map(name => [name, []]))
// The first round only fills the page cache.
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const seen = run()
    if (round >= 0) samples[name].push(seen)
  }
}

const median = (name, figure) =>
  quantile(
    samples[name].map(seen => seen[figure]),
    0.5,
  )
const ms = value => `${value.toFixed(1)} ms`
const load = loadavg()[0].toFixed(1)
console.log(`Linux ${release()}, ${cpus()[0].model} x ${cpus().length}, Node ${process.versions.node}; load ${load}`)
console.log(`Medians of ${rounds} processes each, in turn\n`)
for (const [name, title] of [
  ['spawn', 'child_process'],
  ['launch', 'tracegate'],
]) {
  const [imported, first] = [median(name, 'imported'), median(name, 'first')]
  console.log(`${title.padEnd(16)} import ${ms(imported)}, first launch ${ms(first)}, both ${ms(imported + first)}`)
}
const both = name => median(name, 'imported') + median(name, 'first')
console.log(`tracegate to child_process: ${(both('launch') / both('spawn')).toFixed(2)} (target: 3.3)`)
const above = median('command', 'whole') - median('empty', 'whole')
console.log(`tracegate run -- /bin/true: ${ms(above)} above node -e 0 (target: 35 ms)`)
const early = median('early', 'launch') / median('early', 'reference')
console.log(
  `launches 20 to 220: ${Math.round(median('early', 'launch'))} us, C ${Math.round(median('early', 'reference'))} us, ` +
    `child_process ${Math.round(median('early', 'spawn'))} us; of C: ${early.toFixed(2)} (target: 2.0)`,
)
