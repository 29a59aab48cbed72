/**
 * Finds and loads the addon on first use, and keeps the cause of every failed attempt.
 *
 * The search order is: an addon that a bundled program registered (`tracegate/native/PLATFORM`); one built from source,
 * unless PREBUILDS_ONLY is in the environment; the prebuilt one for this platform, architecture and libc. A file for
 * another architecture or libc is refused without loading it.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { NativeUnavailableError } from '../system/errors.ts'
import { providedAddon } from '../system/provided-addons.ts'
import type { Addon } from './addon.ts'
import { buildCommand, builtAddonPath } from './build-command.ts'
import { type AddonFile, madeAtFirstUse } from './made-at-first-use.ts'
import { ownFolder, packageFolder, requireFile } from './own-package.ts'
import { architectures, platformName, whyForeign } from './platform.ts'
import { hasLibuv } from './runtime.ts'
import { isShortage } from './shortage.ts'

/** The result of a search for the addon. */
export interface AddonSearch {
  /** The platform searched for: 'linux-x64-glibc'. */
  readonly platform: string
  /** The addon; undefined when none loads. */
  readonly addon: Addon | undefined
  /** The addon's path, or the entry point that a bundled program imported. */
  readonly from: string | undefined
  /** Why each earlier candidate failed. */
  readonly causes: readonly Error[]
  /**
   * What to do if no addon loads, with a shell command on its last line, if there is one; undefined if nothing helps or
   * nothing is necessary.
   */
  readonly cure: string | undefined
}

/** Loads the addon. @throws NativeUnavailableError with the cause of every attempt and a cure. */
export function loadAddon(): Addon {
  const { addon, causes, cure } = searchAddon()
  if (addon === undefined) throw new NativeUnavailableError(causes, cure)
  return addon
}

/** Finds and loads the addon; never throws. */
export function searchAddon(): AddonSearch {
  const nothing = { addon: undefined, from: undefined }
  const impossible = whyImpossible()
  if (impossible !== undefined) {
    const platform = `${process.platform}-${process.arch}`
    return { ...nothing, platform, causes: [new Error(impossible)], cure: undefined }
  }
  const platform = platformName()
  const causes: Error[] = []
  const note = (error: unknown) => causes.push(error instanceof Error ? error : new Error(String(error)))
  try {
    for (const [from, load] of candidates(platform)) {
      try {
        return { platform, addon: madeAtFirstUse(load() as AddonFile), from, causes, cure: undefined }
      } catch (error) {
        note(error)
      }
    }
  } catch (error) {
    note(error)
  }
  return { ...nothing, platform, causes, cure: cureFor(platform, causes) }
}

function cureFor(platform: string, causes: readonly Error[]): string {
  if (causes.some(isForbidden)) return allowingAddons
  if (causes.some(isShortage))
    return 'too little was left to load it: raise the limit (ulimit -n), or close files, and try again'
  const folder = packageFolder()
  if (folder === undefined)
    return `copy tracegate's folder prebuilds to ${ownFolder()}, or import 'tracegate/native/${platform}' into the bundle`
  const listening = process.env.PREBUILDS_ONLY ? 'without PREBUILDS_ONLY in the environment, and ' : ''
  return `${listening}with a C++ compiler, make and python3, this builds it from source:\n    ${buildCommand(folder)}`
}

const allowingAddons =
  'let this program load addons: Node without --no-addons, or with --allow-addons; Deno with --allow-ffi'

/** Whether the runtime's configuration forbids every addon. */
function isForbidden(cause: Error): boolean {
  return (cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED' || cause.name === 'NotCapable'
}

function whyImpossible(): string | undefined {
  if (process.platform !== 'linux') return `the native system needs Linux; this is ${process.platform}`
  if (architectures.includes(process.arch)) return undefined
  return `the native system needs ${architectures.join(' or ')}; this is ${process.arch}`
}

function candidates(platform: string): [from: string, load: () => unknown][] {
  const folder = packageFolder()
  const [, architecture, libc] = platform.split('-')
  // A bundle's prebuilds lie beside it.
  const files = [join(folder ?? ownFolder(), `prebuilds/linux-${architecture}/tracegate.${libc}.node`)]
  if (folder !== undefined && !process.env.PREBUILDS_ONLY) files.unshift(builtAddonPath(folder))
  const found = files.map((file): [string, () => unknown] => [file, () => loadFile(file)])
  const provided = providedAddon(platform)
  return provided === undefined ? found : [[`tracegate/native/${platform}`, provided], ...found]
}

function loadFile(file: string): unknown {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  const foreign = whyForeign(file)
  if (foreign !== undefined) throw new Error(`${file} ${foreign}`)
  // Bun and Deno load addons in their own ways.
  if (!hasLibuv) return requireFile(file)
  // Equivalent to require(), without its search, which takes longer than the loading.
  const loaded = { exports: {} }
  process.dlopen(loaded, file)
  return loaded.exports
}
