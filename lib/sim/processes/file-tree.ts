/** The simulated file tree: a few directories, /dev/null, and the programs installed. */

import { ENOENT, ENOTDIR } from '../base/results.ts'

/** The entry a path names. */
type TreeEntry<Code> =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'device'; readonly path: string }
  | { readonly kind: 'program'; readonly path: string; readonly code: Code }

/** Directories that exist even when empty. */
const alwaysThere = ['/', '/bin', '/dev', '/tmp', '/usr', '/usr/bin', '/var', '/var/tmp', '/root', '/home', '/proc']

/** The tree every world begins with, shared by all: an exploration makes thousands of worlds. */
export type BaseTree<Code> = ReadonlyMap<string, TreeEntry<Code>>

export function baseTree<Code>(programs: Readonly<Record<string, Code>>): BaseTree<Code> {
  return new Map<string, TreeEntry<Code>>([
    ...alwaysThere.map(path => [path, { kind: 'directory', path }] as const),
    ['/dev/null', { kind: 'device', path: '/dev/null' }],
    ...Object.entries(programs).map(([path, code]) => [path, { kind: 'program', path, code }] as const),
  ])
}

/** The paths of one world. */
export class FileTree<Code> {
  readonly #base: BaseTree<Code>
  /** Entries installed in this world; they hide those of the base tree. */
  readonly #installed = new Map<string, TreeEntry<Code>>()

  constructor(base: BaseTree<Code>) {
    this.#base = base
  }

  #at(path: string): TreeEntry<Code> | undefined {
    return this.#installed.get(path) ?? this.#base.get(path)
  }

  /** Installs a program at a path, absolute or relative to the root, and makes the directories above it. */
  install(path: string, code: Code): void {
    const full = normalize('/', path)
    for (let end = full.indexOf('/', 1); end > 0; end = full.indexOf('/', end + 1)) {
      const above = full.slice(0, end)
      if (this.#at(above) === undefined) this.#installed.set(above, { kind: 'directory', path: above })
    }
    this.#installed.set(full, { kind: 'program', path: full, code })
  }

  /** The entry a path names, relative to a directory; -ENOENT, or -ENOTDIR below an entry that is no directory. */
  resolve(directory: string, path: string): TreeEntry<Code> | number {
    if (path === '') return -ENOENT
    const full = normalize(directory, path)
    const entry = this.#at(full)
    if (entry !== undefined) return path.endsWith('/') && entry.kind !== 'directory' ? -ENOTDIR : entry
    for (let end = full.lastIndexOf('/'); end > 0; end = full.lastIndexOf('/', end - 1)) {
      const above = this.#at(full.slice(0, end))
      if (above !== undefined) return above.kind === 'directory' ? -ENOENT : -ENOTDIR
    }
    return -ENOENT
  }
}

/** An absolute path that needs no normalizing. */
const plain = /^(?:\/[^/.][^/]*)+$/

function normalize(directory: string, path: string): string {
  if (plain.test(path)) return path
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}
