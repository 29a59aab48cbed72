/** Cgroups for the programs of a test file. */

import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export interface Cgroup {
  readonly version: 1 | 2
  readonly path: string
  /** What its line of /proc/PID/cgroup ends with. */
  readonly suffix: string
}

/** Where cgroups are: the version-2 hierarchy, and one of version 1. */
function hierarchies(): { version: 1 | 2; folder: string }[] {
  const mounts = readFileSync('/proc/self/mounts', 'latin1')
    .split('\n')
    .map(line => line.split(' '))
  const version2 = mounts.find(([, , type]) => type === 'cgroup2')?.[1]
  const version1 = mounts.find(([, , type, options = '']) => type === 'cgroup' && options.includes('pids'))?.[1]
  return [
    ...(version2 === undefined ? [] : [{ version: 2 as const, folder: version2 }]),
    ...(version1 === undefined ? [] : [{ version: 1 as const, folder: version1 }]),
  ]
}

/** Makes a cgroup in each hierarchy where that is allowed. They are removed after the test file. */
export function makeCgroups(): Cgroup[] {
  const name = `tracegate-${process.pid}`
  const made = hierarchies().flatMap(({ version, folder }): Cgroup[] => {
    const path = join(folder, name)
    try {
      mkdirSync(path)
      return [{ version, path, suffix: `/${name}` }]
    } catch {
      return []
    }
  })
  afterAll(() => {
    for (const { path } of made) rmdirSync(path)
  })
  return made
}
