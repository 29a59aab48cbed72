/** The location of the package's own files, wherever a build has put this code. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The path from this file's folder to lib/ or dist/. The build of dist/ defines it, because it moves this file. */
declare const LIBRARY_FROM_HERE: string | undefined

// In lib/ and in dist/, and in no program's bundle.
const entryForBundles = 'native/prebuilt/linux-x64-glibc'

// Null if this code is inside a program's bundle.
let folder: string | null | undefined
let ownRequire: NodeJS.Require | undefined

/** The package's folder; undefined if this code is inside a program's bundle, which has other files around it. */
export function packageFolder(): string | undefined {
  folder ??= isInPackage() ? dirname(libraryFolder()) : null
  return folder ?? undefined
}

/** Looks for a file that only the package has. To read the name in package.json takes a first launch 0.4 ms more. */
function isInPackage(): boolean {
  const extension = extname(ownFile()).replace('.', '.c')
  return existsSync(join(libraryFolder(), `${entryForBundles}${extension}`))
}

/**
 * The package's version; undefined if this code is inside a program's bundle.
 *
 * @throws EMFILE, ENFILE, ENOMEM
 */
export function packageVersion(): string | undefined {
  const found = packageFolder()
  if (found === undefined) return undefined
  const { version } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')) as { version: string }
  return version
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

function libraryFolder(): string {
  return join(ownFolder(), typeof LIBRARY_FROM_HERE === 'undefined' ? '..' : LIBRARY_FROM_HERE)
}

// import.meta is empty if a bundler turns this file into CommonJS. Some bundlers know its url only.
function ownFile(): string {
  return import.meta.filename ?? (import.meta.url === undefined ? __filename : fileURLToPath(import.meta.url))
}
