// A hash over the contents of files and folders. A changed hash means that a result is stale.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** @param {string} root @param {readonly string[]} paths from root */
export function fingerprint(root, paths) {
  const hash = createHash('sha256')
  const add = path => {
    const full = join(root, path)
    if (statSync(full).isDirectory()) {
      // src/build is node-gyp's output, not source.
      for (const name of readdirSync(full).sort()) if (name !== 'build') add(join(path, name))
    } else {
      hash.update(`${path}\0`).update(readFileSync(full))
    }
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}
