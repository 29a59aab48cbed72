// Builds the package's addons for every target, on one linux x64 machine: npm run prebuild.
//
//   --check         builds nothing, and checks that all are there, made of these sources, and fit to ship
//   --quiet         says only what is wrong
//   --reproduce     builds all twice, in two folders, and compares the bytes
//   NAME …          only these targets (linux-x64-glibc …)

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fingerprint } from './fingerprint.mjs'
import { build } from './prebuild/build.mjs'
import { faultsOfPrebuild } from './prebuild/gate.mjs'
import { prebuildPath, targets } from './prebuild/targets.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
// Records the sources of each addon. Not published.
const stamps = join(root, 'prebuilds/.sources.json')

function sources() {
  return fingerprint(root, ['src', 'binding.gyp', 'scripts/prebuild'])
}

function readStamps() {
  return existsSync(stamps) ? JSON.parse(readFileSync(stamps, 'utf8')) : {}
}

function make(target, { reproduce = false, quiet = false }) {
  const bytes = build(target)
  if (reproduce && !build(target).equals(bytes)) throw new Error(`two builds of ${target.name} differ`)
  const file = join(root, prebuildPath(target))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes, { mode: 0o755 })
  writeFileSync(stamps, `${JSON.stringify({ ...readStamps(), [target.name]: sources() }, null, 2)}\n`)
  if (!quiet) report(target, bytes, reproduce ? 'built twice alike' : 'built')
}

function check(target, { quiet = false }) {
  const file = join(root, prebuildPath(target))
  if (!existsSync(file)) throw new Error(`there is no ${prebuildPath(target)}: npm run prebuild`)
  if (readStamps()[target.name] !== sources())
    throw new Error(`${prebuildPath(target)} is out of date: npm run prebuild`)
  const bytes = readFileSync(file)
  const faults = faultsOfPrebuild(bytes, target)
  if (faults.length > 0) throw new Error(`${prebuildPath(target)} is not fit to ship:\n  ${faults.join('\n  ')}`)
  if (!quiet) report(target, bytes, 'fit to ship')
}

function report(target, bytes, what) {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  process.stdout.write(
    `${target.name.padEnd(18)} ${String(bytes.length).padStart(6)} bytes  sha256 ${hash}…  ${what}\n`,
  )
}

try {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' }, quiet: { type: 'boolean' }, reproduce: { type: 'boolean' } },
    allowPositionals: true,
  })
  const unknown = positionals.filter(name => !targets.some(target => target.name === name))
  if (unknown.length > 0)
    throw new Error(`unknown target ${unknown.join(', ')}; there are ${targets.map(({ name }) => name).join(', ')}`)
  const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  for (const target of chosen) {
    if (values.check) check(target, values)
    else make(target, values)
  }
} catch (error) {
  process.stderr.write(`tracegate: ${error.message}\n`)
  process.exitCode = 1
}
