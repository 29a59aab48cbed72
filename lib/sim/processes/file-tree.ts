/** The simulated file tree: a few directories, /dev/null, and the programs installed. */

import { invalidValue } from '../../system/arguments.ts'
import { byteLength } from '../base/byte-length.ts'
import { EACCES, ENAMETOOLONG, ENOENT, ENOTDIR } from '../base/results.ts'

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

  /**
   * Installs a program at a path, absolute or relative to the root, and makes the directories above it.
   *
   * @throws TypeError (ERR_INVALID_ARG_VALUE) if the path is that of a directory, or lies below a file.
   */
  install(path: string, code: Code): void {
    const full = normalize(path)
    if (isTooLong(full) || full.split('/').some(isTooLongAsName))
      throw invalidValue('path', `must have under ${pathMax} bytes, each of its names up to ${nameMax}`, path)
    if (this.#at(full)?.kind === 'directory') throw invalidValue('path', 'must be the path of a file', path)
    const directories: string[] = []
    for (let end = full.indexOf('/', 1); end > 0; end = full.indexOf('/', end + 1)) {
      const above = full.slice(0, end)
      const entry = this.#at(above)
      if (entry === undefined) directories.push(above)
      else if (entry.kind !== 'directory') throw invalidValue('path', `is below '${above}', which is a file`, path)
    }
    for (const above of directories) this.#installed.set(above, { kind: 'directory', path: above })
    this.#installed.set(full, { kind: 'program', path: full, code })
  }

  /** The entry a path names, relative to a directory; or a negative errno. */
  resolve(directory: string, path: string): TreeEntry<Code> | number {
    if (path === '') return -ENOENT
    const entry = plain.test(path) ? this.#at(path) : undefined
    return entry ?? this.#walk(directory, path)
  }

  /** The code of the program at a path, or the negative errno of its execve(2). */
  program(directory: string, path: string): Code | number {
    const found = this.resolve(directory, path)
    if (typeof found === 'number') return found
    return found.kind === 'program' ? found.code : -EACCES
  }

  /** Looks each name of a path up in turn, as Linux does: '/none/..' is -ENOENT, '/dev/null/..' -ENOTDIR. */
  #walk(directory: string, path: string): TreeEntry<Code> | number {
    if (isTooLong(path)) return -ENAMETOOLONG
    let entry = this.#at(path.startsWith('/') ? '/' : directory)!
    for (const [index, name] of path.split('/').entries()) {
      // The empty name before a leading slash; one behind a trailing slash asks for a directory.
      if (index === 0 && name === '') continue
      if (entry.kind !== 'directory') return -ENOTDIR
      if (name === '' || name === '.') continue
      if (isTooLongAsName(name)) return -ENAMETOOLONG
      const { path: above } = entry
      const next = name === '..' ? above.replace(/\/[^/]*$/, '') || '/' : `${above === '/' ? '' : above}/${name}`
      const found = this.#at(next)
      if (found === undefined) return -ENOENT
      entry = found
    }
    return entry
  }
}

/** PATH_MAX, which counts the NUL behind a path, and NAME_MAX, in bytes. */
const pathMax = 4096
const nameMax = 255

const isTooLong = (path: string) => byteLength(path) >= pathMax
const isTooLongAsName = (name: string) => byteLength(name) > nameMax

/** An absolute path without '.', '..' and empty names. */
const plain = /^(?:\/[^/.][^/]*)+$/

function normalize(path: string): string {
  if (plain.test(path)) return path
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return `/${parts.join('/')}`
}
