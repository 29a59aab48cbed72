/** Where the package's own files are, wherever a build has put this code. */

import { readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isShortage } from './shortage.ts'

/** The way from this file's folder to that of the whole library, lib/ or dist/, where the build of dist/ has changed it. */
declare const LIBRARY_FROM_HERE: string | undefined

/** The package's package.json, as far as it counts here. */
interface Manifest {
  readonly name: string
  readonly version: string
}

// Null where this code is in the bundle of a program.
let manifest: Manifest | null | undefined
let ownRequire: NodeJS.Require | undefined

/**
 * The package's package.json; undefined where this code is in the bundle of a program, which has other files around it.
 *
 * @throws EMFILE, ENFILE, ENOMEM: that cannot be told now.
 */
export function packageManifest(): Manifest | undefined {
  if (manifest === undefined) manifest = readManifest()
  return manifest ?? undefined
}

/** The package's folder; undefined where this code is in the bundle of a program. */
export function packageFolder(): string | undefined {
  return packageManifest() && dirname(libraryFolder())
}

/** Loads a module of the package by its path in lib/, without an extension. */
export function requireModule(path: string): unknown {
  return requireFile(`${join(libraryFolder(), path)}${extname(ownFile())}`)
}

/** Loads a file: an addon, a CommonJS module or an ES module. */
export function requireFile(path: string): unknown {
  // Not imported: it is seldom needed.
  ownRequire ??= process.getBuiltinModule('node:module').createRequire(ownFile())
  return ownRequire(path)
}

/** The folder of the file that this code is in. */
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

// A bundler that makes CommonJS of this leaves no import.meta.url.
function ownFile(): string {
  return import.meta.url === undefined ? __filename : fileURLToPath(import.meta.url)
}
