// Every step of a release except publishing. All: npm run release:check. Some: npm run release:check -- pack
// publint
//
// Leaves the package as tracegate-VERSION.tgz in the clone. npx fetches the tools that check it, in these
// versions.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsOfRelease, faultsOfSize } from './release/faults.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tarball = join(root, `tracegate-${manifest.version}.tgz`)
const node = process.execPath

const steps = {
  release: () => faultsOfRelease(root),
  lint: () => run('npm', ['run', 'lint']),
  test: () => run('npm', ['test']),
  prebuild: () => run(node, ['scripts/prebuild.mjs', '--reproduce']),
  pack: () => run('npm', ['pack']) ?? checkSize(),
  publint: () => lintPackage(),
  // The package is ESM, which require() of every supported Node loads.
  types: () => run('npx', ['--yes', '@arethetypeswrong/cli@0.18.5', tarball, '--profile', 'esm-only']),
  'from-source': () => buildFromSource(),
  consumers: () => run('npm', ['run', 'test:consumers']),
}

/** Undefined if publint finds nothing but that the command's file is a shell script, which it is on purpose. */
function lintPackage() {
  const output = run('npx', ['--yes', 'publint@0.3.25', 'run', tarball, '--strict'])
  const faults = (output ?? '').split('\n').filter(line => /^\d+\. /.test(line))
  const isFine = faults.length === 1 && faults[0]?.includes('pkg.bin.tracegate is ./bin/tracegate.js but')
  return isFine ? undefined : output
}

/** Undefined on success, else the command's output. */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    ...options,
  })
  return status === 0 ? undefined : `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`
}

function checkSize() {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error']
  const { stdout } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' })
  // npm 11 returns a list of packages, npm 12 an object.
  const [packed] = Object.values(JSON.parse(stdout))
  process.stdout.write(`     ${tarball}: ${packed.size} bytes, ${packed.unpackedSize} unpacked\n`)
  return faultsOfSize(readFileSync(join(root, 'README.md'), 'utf8'), packed)
}

/** Installs the package without its prebuilt addons, and runs the command that the error then prints. */
function buildFromSource() {
  const project = mkdtempSync(join(tmpdir(), 'tracegate-release-'))
  const here = (command, args, env = {}) => run(command, args, { cwd: project, env: { ...process.env, ...env } })
  try {
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
    const installed = here('npm', ['install', '--no-audit', '--no-fund', tarball])
    if (installed !== undefined) return installed
    rmSync(join(project, 'node_modules/tracegate/prebuilds'), { recursive: true })
    const open = "import { openSystem } from 'tracegate'; openSystem('native')"
    const refusal = here(node, ['--input-type=module', '-e', open])
    const command = /^ *(npx .*)$/m.exec(refusal ?? '')?.[1]
    if (command === undefined) return `no command was printed:\n${refusal}`
    return here('sh', ['-c', command]) ?? here(node, ['--input-type=module', '-e', open])
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
const unknown = asked.filter(name => !(name in steps))
if (unknown.length > 0) {
  process.stderr.write(`tracegate: unknown step ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}\n`)
  process.exit(2)
}

for (const [name, step] of Object.entries(steps)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const startedMs = performance.now()
  const fault = step()
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  process.stdout.write(`${fault === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`)
  if (fault === undefined) continue
  process.stdout.write(`${fault}\n`)
  process.exitCode = 1
  break // the later steps depend on this one
}
