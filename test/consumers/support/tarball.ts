/**
 * Packs the package once for all consumers, with the prebuilt addons that are up to date. If there are none,
 * uses this clone's build.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { libc } from '../../../lib/native/platform.ts'
import { prebuildPath, targets } from '../../../scripts/prebuild/targets.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))

declare module 'vitest' {
  export interface ProvidedContext {
    /** The packed package. */
    readonly tarball: string
    /** The platforms whose addons it contains: 'linux-x64-glibc'. */
    readonly platforms: readonly string[]
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-tarball-'))
  try {
    const staged = join(folder, 'package')
    project.provide('platforms', stage(staged))
    npm(staged, 'pack', '--ignore-scripts', '--silent', `--pack-destination=${folder}`)
    const name = readdirSync(folder).find(each => each.endsWith('.tgz'))
    if (name === undefined) throw new Error('npm pack left no file')
    rmSync(staged, { recursive: true })
    project.provide('tarball', join(folder, name))
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
  return () => rmSync(folder, { recursive: true })
}

function stage(folder: string): string[] {
  const copy = (from: string, to = from) => {
    mkdirSync(dirname(join(folder, to)), { recursive: true })
    cpSync(join(root, from), join(folder, to), { recursive: true })
  }
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: readonly string[] }
  // npm packs the files that `bin` names, even if `files` does not list them.
  const papers = ['bin', 'package.json', 'README.md', 'LICENSE', 'prebuilds/README.md']
  for (const name of [...papers, ...files.filter(name => name !== 'prebuilds' && !name.startsWith('!'))]) copy(name)
  const current = targets.filter(({ name }) => isCurrent(name))
  for (const target of current) copy(prebuildPath(target))
  if (current.length > 0) return current.map(({ name }) => name)
  const here = targets.find(each => each.arch === process.arch && each.libc === libc())
  if (here === undefined || !existsSync(join(root, 'build/Release/tracegate.node'))) return []
  copy('build/Release/tracegate.node', prebuildPath(here))
  return [here.name]
}

function isCurrent(platform: string): boolean {
  const check = [join(root, 'scripts/prebuild.mjs'), '--check', platform]
  return spawnSync(process.execPath, check, { stdio: 'ignore' }).status === 0
}

function npm(cwd: string, ...args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`)
}
