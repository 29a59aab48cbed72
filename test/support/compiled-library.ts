/**
 * The library as JavaScript, for tests that run it in another process or thread: Node 20 runs no TypeScript.
 *
 * Built from the current lib/, so that it is never stale. Cached for the next test under a hash of its contents.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fingerprint } from '../../scripts/fingerprint.mjs'
import { cacheFolder } from './run-folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const bundler = join(root, 'scripts/bundle.mjs')
const makers = ['scripts/bundle.mjs', 'scripts/bundle', 'test/support/compiled-library.ts']
const cache = cacheFolder()

let made: string | undefined

/** The URL of the compiled lib/: `${url}index.js` is the entry. */
export function compiledLibrary(): string {
  made ??= make()
  return pathToFileURL(`${made}/lib/`).href
}

/** The folder with the bundled library, as published (dist/). */
export function publishedLibrary(): string {
  made ??= make()
  return join(made, 'dist')
}

function make(): string {
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.c?ts$/.test(name))
    .sort()
    .map(name => ({ name, text: readFileSync(join(root, 'lib', name), 'utf8') }))
  const key = createHash('sha256')
    .update(JSON.stringify([root, sources, fingerprint(root, makers)]))
    .digest('hex')
    .slice(0, 16)
  const target = join(cache, `library-${key}`)
  if (existsSync(target)) return target
  const unfinished = `${target}.${process.pid}`
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  toJavaScript(
    sources.map(({ name }) => name),
    join(unfinished, 'lib'),
  )
  execFileSync(process.execPath, [bundler, join(unfinished, 'dist')], { stdio: ['ignore', 'ignore', 'inherit'] })
  cpSync(join(root, 'package.json'), join(unfinished, 'package.json'))
  // The library looks for its addon beside lib/ and dist/.
  for (const name of ['build', 'prebuilds']) symlinkSync(join(root, name), join(unfinished, name))
  try {
    renameSync(unfinished, target)
  } catch {
    // Another test file has made it meanwhile.
    rmSync(unfinished, { recursive: true })
  }
  return target
}

/** Each module in a file of its own. */
function toJavaScript(names: readonly string[], to: string): void {
  const settings = JSON.stringify({ compilerOptions: { verbatimModuleSyntax: true } })
  const compile = (files: readonly string[], ...options: string[]) =>
    execFileSync(
      join(root, 'node_modules/esbuild/bin/esbuild'),
      [...files, ...options, '--outbase=.', `--outdir=${to}`, '--target=node20.19', `--tsconfig-raw=${settings}`],
      { cwd: join(root, 'lib'), stdio: ['ignore', 'ignore', 'pipe'] },
    )
  const isScript = (name: string) => name.endsWith('.cts')
  compile(
    names.filter(name => !isScript(name)),
    '--format=esm',
  )
  compile(names.filter(isScript), '--format=cjs', '--out-extension:.js=.cjs')
  for (const name of names) {
    const path = join(to, name.replace(/ts$/, 'js'))
    // esbuild leaves imports as they are.
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replaceAll(/(\b(?:from|import) ?\(?["']\.[^"']*)\.ts(["'])/g, '$1.js$2'),
    )
  }
}
