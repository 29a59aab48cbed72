/**
 * Finds and loads the addon, on first use, keeping the cause of every attempt that failed.
 *
 * In this order: one that a bundled program brought along (`tracegate/native/PLATFORM`), one built from source (not with PREBUILDS_ONLY in the
 * environment), the prebuilt one for this platform, architecture and libc. A file for another architecture or libc is refused, not tried.
 */

import { existsSync } from 'node:fs'
// Not by its name: bundles of ES modules commonly import createRequire themselves, and their import would clash with this one.
import * as nodeModule from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NativeUnavailableError } from '../system/errors.ts'
import type { Addon } from './addon.ts'
import { buildCommand } from './build-command.ts'
import { architectures, platformName, whyForeign } from './platform.ts'

/** How a search for the addon went. */
export interface AddonSearch {
  /** The platform searched for: 'linux-x64-glibc'. */
  readonly platform: string
  /** The addon; undefined when none loads. */
  readonly addon: Addon | undefined
  /** Where it was found: a path, or the entry point that a bundled program imported. */
  readonly from: string | undefined
  /** Why each one that was looked at before it could not be had. */
  readonly causes: readonly Error[]
  /** The shell command that builds the addon here; undefined where it cannot be built. */
  readonly buildCommand: string | undefined
}

type Loader = () => unknown

const provided = new Map<string, Loader>()

/** Registers the addon for one platform, in a program that is bundled with it. */
export function provideAddon(platform: string, load: Loader): void {
  provided.set(platform, load)
}

/** Loads the addon. Throws {@link NativeUnavailableError} with the cause of every attempt and the command that builds it. */
export function loadAddon(): Addon {
  const { addon, causes, buildCommand } = searchAddon()
  if (addon !== undefined) return addon
  const cure = 'with a C++ compiler, make and python3, this builds it from source:'
  throw new NativeUnavailableError(causes, buildCommand === undefined ? undefined : `${cure}\n    ${buildCommand}`)
}

/** Looks for the addon and loads it where it is found; throws nothing. */
export function searchAddon(): AddonSearch {
  const impossible = whyImpossible()
  if (impossible !== undefined) {
    const platform = `${process.platform}-${process.arch}`
    return { platform, addon: undefined, from: undefined, causes: [new Error(impossible)], buildCommand: undefined }
  }
  const platform = platformName()
  const found = { platform, buildCommand: buildCommand(packageRoot()) }
  const causes: Error[] = []
  for (const [from, load] of candidates(platform)) {
    try {
      return { ...found, addon: load() as Addon, from, causes }
    } catch (error) {
      causes.push(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { ...found, addon: undefined, from: undefined, causes }
}

function whyImpossible(): string | undefined {
  if (process.platform !== 'linux') return `the native system needs Linux; this is ${process.platform}`
  if (architectures.includes(process.arch)) return undefined
  return `the native system needs ${architectures.join(' or ')}; this is ${process.arch}`
}

function candidates(platform: string): [from: string, load: Loader][] {
  const root = packageRoot()
  const [, architecture, libc] = platform.split('-')
  const files = [join(root, `prebuilds/linux-${architecture}/tracegate.${libc}.node`)]
  if (!process.env.PREBUILDS_ONLY) files.unshift(join(root, 'build/Release/tracegate.node'))
  const bundled = provided.get(platform)
  return [
    ...(bundled === undefined ? [] : [[`tracegate/native/${platform}`, bundled] as [string, Loader]]),
    ...files.map((file): [string, Loader] => [file, () => loadFile(file)]),
  ]
}

function loadFile(file: string): unknown {
  if (!existsSync(file)) throw new Error(`there is no ${file}`)
  const foreign = whyForeign(file)
  if (foreign !== undefined) throw new Error(`${file} ${foreign}`)
  return nodeModule.createRequire(ownFile())(file)
}

// A bundler that makes CommonJS of this leaves no import.meta.url.
function ownFile(): string {
  return import.meta.url === undefined ? __filename : fileURLToPath(import.meta.url)
}

/** Two folders up, from dist/native as from lib/native; a bundle has its prebuilds beside it. */
function packageRoot(): string {
  const folder = dirname(ownFile())
  return basename(folder) === 'native' && /^load-addon\.[jt]s$/.test(basename(ownFile()))
    ? dirname(dirname(folder))
    : folder
}
