// Writes the package's repository into package.json. npm compares it with the provenance, and the workflow knows
// it.
//
//   node scripts/release/repository.mjs    in a GitHub workflow, before npm pack: writes package.json

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The text of a package.json with the repository that a workflow runs in.
 *
 * @param {string} manifest
 * @param {NodeJS.ProcessEnv} environment with GITHUB_SERVER_URL and GITHUB_REPOSITORY (owner/name)
 */
export function withRepository(manifest, { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: path }) {
  if (!/^https:\/\/[^/\s]+$/.test(server ?? '')) throw new Error(`GITHUB_SERVER_URL names no server: ${server}`)
  if (!/^[\w.-]+\/[\w.-]+$/.test(path ?? '')) throw new Error(`GITHUB_REPOSITORY names no repository: ${path}`)
  const repository = { type: 'git', url: `git+${server}/${path}.git` }
  return `${JSON.stringify({ ...JSON.parse(manifest), repository }, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL('../../package.json', import.meta.url)
  writeFileSync(file, withRepository(readFileSync(file, 'utf8'), process.env))
}
