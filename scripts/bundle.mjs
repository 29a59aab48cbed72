// Bundles lib/ into the few files that are published. Loading 120 modules takes longer than starting a process.
//
// `node scripts/bundle.mjs FOLDER` writes them there.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, stop } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const lib = join(root, 'lib')

/**
 * Parts of lib/ that are one file each, shared by all entries. A program that imports two entries gets one copy
 * of each class. All other modules are inlined into every entry that needs them.
 */
const shared = [
  { part: 'system', file: 'shared/system.js' },
  { part: 'sim', file: 'sim/index.js' },
]

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  // Private fields stay native syntax. `using` is rewritten.
  target: 'node20.19',
  // The package contains the sources.
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
}

/**
 * Resolves imports that belong to the shared files to those files. `output`: the file being made, which is part
 * `own`.
 */
const fromShared = (output, own) => ({
  name: 'shared',
  setup(building) {
    building.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
      if (kind === 'entry-point') return undefined
      // An addon stays in place: dist/ and lib/ are equally far from it.
      if (path.endsWith('.node')) return { path, external: true }
      const [part] = relative(lib, join(resolveDir, path)).split('/')
      const found = part === own ? undefined : shared.find(each => each.part === part)
      if (found === undefined) return undefined
      const file = relative(dirname(output), found.file)
      return { path: file.startsWith('.') ? file : `./${file}`, external: true }
    })
  },
})

/**
 * Builds, and restores the names of classes that esbuild has renamed (`var Channel = class _Channel`). Errors
 * and inspect() show these names.
 */
async function make(options) {
  const { outputFiles = [] } = await build({ ...common, ...options, write: false })
  for (const { path, text } of outputFiles) {
    const names = path.endsWith('.js') ? [...text.matchAll(/^var (\w+) = class _\1\b/gm)].map(([, name]) => name) : []
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(
      path,
      names.reduce((code, name) => code.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), text),
    )
  }
}

/** All exports of the modules of system/, in one file. */
function makeSystem(to) {
  const modules = readdirSync(join(lib, 'system')).sort()
  const contents = modules.map(name => `export * from './system/${name}'\n`).join('')
  const { file } = shared[0]
  return make({ stdin: { contents, resolveDir: lib, sourcefile: 'system' }, outfile: join(to, file) })
}

/** One entry. Modules that it loads by import() become separate files. */
function makeEntry(entry, to, { own = '', libraryFromHere }) {
  const folder = dirname(entry)
  return make({
    entryPoints: [join(lib, entry)],
    outbase: lib,
    outdir: to,
    splitting: true,
    chunkNames: `${folder}/[name]-[hash]`,
    define: { LIBRARY_FROM_HERE: JSON.stringify(libraryFromHere) },
    plugins: [fromShared(entry, own)],
  })
}

/** The entries for bundled programs. A bundler must be able to follow their imports. */
function makePrebuilt(to) {
  const folder = 'native/prebuilt'
  return make({
    entryPoints: readdirSync(join(lib, folder)).map(name => join(lib, folder, name)),
    outdir: join(to, folder),
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    plugins: [fromShared(`${folder}/any.cjs`)],
  })
}

/** Bundles lib/ into the folder `to`. */
export async function bundle(to) {
  await Promise.all([
    makeSystem(to),
    makeEntry('index.ts', to, { libraryFromHere: '.' }),
    makeEntry('sim/index.ts', to, { own: 'sim', libraryFromHere: '..' }),
    makeEntry('syscalls/index.ts', to, { libraryFromHere: '..' }),
    makeEntry('cli/main.ts', to, { libraryFromHere: '..' }),
    makePrebuilt(to),
  ])
  await stop()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2])
