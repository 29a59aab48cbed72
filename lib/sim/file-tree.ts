/** The simulated file tree: a few directories, /dev/null, and the programs installed. */

import type { Program } from './program.ts'
import { ENOENT, ENOTDIR } from './results.ts'

/** What a path names. */
export type TreeEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'device'; readonly path: string }
  | { readonly kind: 'program'; readonly path: string; readonly program: Program }

/** Directories that are there without anything in them. */
const alwaysThere = ['/', '/bin', '/dev', '/tmp', '/usr', '/usr/bin', '/var', '/var/tmp', '/root', '/home', '/proc']

/** Paths and what they name. */
export class FileTree {
  readonly #entries = new Map<string, TreeEntry>()

  constructor() {
    for (const path of alwaysThere) this.#entries.set(path, { kind: 'directory', path })
    this.#entries.set('/dev/null', { kind: 'device', path: '/dev/null' })
  }

  /** Puts a program at a path, absolute or below the root, making the directories above it. */
  install(path: string, program: Program): void {
    const full = normalize('/', path)
    for (let end = full.indexOf('/', 1); end > 0; end = full.indexOf('/', end + 1)) {
      const above = full.slice(0, end)
      if (!this.#entries.has(above)) this.#entries.set(above, { kind: 'directory', path: above })
    }
    this.#entries.set(full, { kind: 'program', path: full, program })
  }

  /** What a path names, seen from a directory; -ENOENT, or -ENOTDIR behind something that is no directory. */
  resolve(directory: string, path: string): TreeEntry | number {
    if (path === '') return -ENOENT
    const full = normalize(directory, path)
    const entry = this.#entries.get(full)
    if (entry !== undefined) return path.endsWith('/') && entry.kind !== 'directory' ? -ENOTDIR : entry
    for (let end = full.lastIndexOf('/'); end > 0; end = full.lastIndexOf('/', end - 1)) {
      const above = this.#entries.get(full.slice(0, end))
      if (above !== undefined) return above.kind === 'directory' ? -ENOENT : -ENOTDIR
    }
    return -ENOENT
  }
}

function normalize(directory: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}
