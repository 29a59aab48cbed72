/**
 * Node's compile cache for the command's own modules, from Node 22.8. It is the application's to turn on: the library
 * never does.
 *
 * Node's default folder is in /tmp, where another user may have made it first. Compiled code from there would run with
 * the command's rights. So the cache is in the user's own cache folder, which only that user may write.
 */

import { mkdirSync, statSync } from 'node:fs'
import module from 'node:module'
import { isAbsolute, join } from 'node:path'

/** Missing before Node 22.8, and in other runtimes. */
type WithCompileCache = typeof module & { readonly enableCompileCache?: (directory: string) => unknown }

const othersMayWrite = 0o022

function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME: caches, HOME: home } = process.env
  const folder = caches ? caches : home ? join(home, '.cache') : ''
  return isAbsolute(folder) ? join(folder, 'tracegate') : undefined
}

/** Makes the folder if it is missing; whether it is this user's alone. Under sudo HOME may be another user's. */
function isOwn(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = statSync(folder)
  return uid === process.geteuid?.() && (mode & othersMayWrite) === 0
}

function turnOnCompileCache(): void {
  const { enableCompileCache } = module as WithCompileCache
  const folder = cacheFolder()
  if (enableCompileCache === undefined || folder === undefined) return
  try {
    if (isOwn(folder)) enableCompileCache(join(folder, 'compiled'))
  } catch {
    // A read-only or foreign home: the command works without a cache, only slower.
  }
}

turnOnCompileCache()
