// Runs the packed package as its users do: npm run test:consumers [-- --all] [vitest's arguments].
//
// --all: every supported runtime, fetched into the user's cache (2 GB). Without it: this machine's Node only.
// TRACEGATE_CONSUMERS=all in the environment has the same effect.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const rest = process.argv.slice(2).filter(argument => argument !== '--all')
const everything = rest.length < process.argv.length - 2 || process.env.TRACEGATE_CONSUMERS === 'all'

function node(...args) {
  const env = { ...process.env, TRACEGATE_CONSUMERS: everything ? 'all' : 'here' }
  return spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1
}

function prebuilds() {
  const isCurrent = spawnSync(process.execPath, ['scripts/prebuild.mjs', '--check'], { cwd: root }).status === 0
  return isCurrent ? 0 : node('scripts/prebuild.mjs')
}

let status = node('scripts/prepare-clone.mjs')
if (status === 0 && everything) status = prebuilds()
if (status === 0)
  status = node('node_modules/vitest/vitest.mjs', 'run', '--config=test/consumers/vitest.config.ts', ...rest)
process.exitCode = status
