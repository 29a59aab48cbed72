/** A folder with the package as npm would install it, but without addons. Tests add those that they need. */

import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { libc } from '../../lib/native/platform.ts'
import { compiledLibrary, publishedLibrary } from './compiled-library.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** This clone's build of the addon. */
export const builtAddon = join(root, 'build/Release/tracegate.node')

/** The path of a prebuilt addon in a package. Default: the one for this machine. */
export function prebuiltPath(arch: string = process.arch, ofLibc: string = libc()): string {
  return `prebuilds/linux-${arch}/tracegate.${ofLibc}.node`
}

/** Puts links to the files of a folder into another one: to copy hundreds of them takes longer than a test. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) link(source, target)
    else linkSync(source, target)
  }
}

/**
 * A project with the package in its node_modules, while `use` runs. The package is as published, or has one file
 * per module, for tests that call inner modules.
 */
export async function withInstalledPackage<T>(
  use: (where: { project: string; installed: string; put: (file: string, path: string) => void }) => T,
  library: 'published' | 'modules' = 'published',
): Promise<Awaited<T>> {
  const made = library === 'published' ? publishedLibrary() : fileURLToPath(compiledLibrary())
  const project = mkdtempSync(join(tmpdir(), 'tracegate-project-'))
  const installed = join(project, 'node_modules/tracegate')
  const put = (file: string, path: string) => {
    mkdirSync(dirname(join(installed, path)), { recursive: true })
    cpSync(file, join(installed, path))
  }
  try {
    link(made, join(installed, 'dist'))
    put(join(root, 'package.json'), 'package.json')
    return await use({ project, installed, put })
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}
