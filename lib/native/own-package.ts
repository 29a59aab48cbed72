/** The location of the package's own files, wherever a build has put this code. */

import { readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isShortage } from './shortage.ts'

/** The path from this file's folder to lib/ or dist/. The build of dist/ defines it, because it moves this file. */
declare const LIBRARY_FROM_HERE: string | undefined

/** The fields of the package's package.json in use here. */
interface Manifest {
  readonly name: string
  readonly version: string
}

// Null if this code is inside a program's bundle.
let manifest: Manifest | null | undefined
let ownRequire: NodeJS.Require | undefined

/**
 * The package's package.json; undefined if this code is inside a program's bundle, which has other files around it.
 *
 * @throws EMFILE, ENFILE, ENOMEM: a shortage leaves the question open.
 */
export function packageManifest(): Manifest | undefined {
  if (manifest === undefined) manifest = readManifest()
  return manifest ?? undefined
}

/** The package's folder; undefined if this code is inside a program's bundle. */
export function packageFolder(): string | undefined {
  return packageManifest() && dirname(libraryFolder())
}

/** Loads a module of the package by its extensionless path in lib/. */
export function requireModule(path: string): unknown {
  return requireFile(`${join(libraryFolder(), path)}${extname(ownFile())}`)
}

/** Loads a file: an addon, a CommonJS module or an ES module. */
export function requireFile(path: string): unknown {
  // Loaded lazily: most programs never need it.
  ownRequire ??= process.getBuiltinModule('node:module').createRequire(ownFile())
  return ownRequire(path)
}

/** The folder of this code's file. */
export function ownFolder(): string {
  return dirname(ownFile())
}

function readManifest(): Manifest | null {
  try {
    const found = JSON.parse(readFileSync(join(libraryFolder(), '../package.json'), 'utf8')) as Manifest
    return found.name === 'tracegate' ? found : null
  } catch (error) {
    if (isShortage(error)) throw error
    return null
  }
}

function libraryFolder(): string {
  return join(ownFolder(), typeof LIBRARY_FROM_HERE === 'undefined' ? '..' : LIBRARY_FROM_HERE)
}

// import.meta is empty if a bundler turns this file into CommonJS. Some bundlers know its url only.
function ownFile(): string {
  return import.meta.filename ?? (import.meta.url === undefined ? __filename : fileURLToPath(import.meta.url))
}
