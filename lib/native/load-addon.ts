/** Finds and loads the addon, on first use, keeping the cause of every attempt that failed. */

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { NativeUnavailableError } from '../system/errors.ts'
import type { Addon } from './addon.ts'

// From dist/native as from lib/native, the package's root is two folders up.
const packageRoot = fileURLToPath(new URL('../../', import.meta.url))

function libc(): 'glibc' | 'musl' {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

/** Where the addon may be, the likelier first. Lazily, because a report takes milliseconds. */
const candidates: readonly (() => string)[] = [
  () => `${packageRoot}build/Release/tracegate.node`,
  // Chosen by libc, never by trial: a glibc build may load on musl and crash later.
  () => `${packageRoot}prebuilds/linux-${process.arch}/tracegate.${libc()}.node`,
]

/** Loads the addon. Throws {@link NativeUnavailableError} with the cause of every attempt. */
export function loadAddon(): Addon {
  if (process.platform !== 'linux') {
    throw new NativeUnavailableError([new Error(`the native system needs Linux; this is ${process.platform}`)])
  }
  const require = createRequire(import.meta.url)
  const causes: Error[] = []
  for (const candidate of candidates) {
    try {
      return require(candidate()) as Addon
    } catch (error) {
      causes.push(error instanceof Error ? error : new Error(String(error)))
    }
  }
  throw new NativeUnavailableError(causes)
}
