// Bundles lib/ into the few files that are published. Loading 120 modules takes longer than starting a process.
//
// `node scripts/bundle.mjs FOLDER` writes them there.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, stop } from 'esbuild'
import { compact } from './bundle/compact.mjs'
import { fromShared, lib, withoutNamespaces } from './bundle/imports.mjs'
import { asModule, inPlaceOfImport, once } from './bundle/once.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

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
  metafile: true,
  logLevel: 'warning',
}

/** Builds, and changes each file by `change` at the end. Returns the names that the entry exports. */
async function make(options, change = made => made) {
  const { outputFiles = [], metafile } = await build({ ...common, ...options, write: false })
  const textOf = path => outputFiles.find(file => file.path === path)?.text ?? ''
  const write = (path, text) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (const { path, text } of outputFiles.filter(file => !file.path.endsWith('.map'))) {
    const map = textOf(`${path}.map`)
    const link = text.slice(text.lastIndexOf('//# sourceMappingURL='))
    const code = text.slice(0, -link.length)
    const made = path.endsWith('.js') ? change(await compact(withoutNamespaces(code), map)) : { code, map }
    write(path, made.code + link)
    write(`${path}.map`, made.map)
  }
  return Object.values(metafile?.outputs ?? {}).find(({ entryPoint }) => entryPoint !== undefined)?.exports
}

/** All exports of the modules of system/, in one file, whose code runs once also where another file contains it. */
async function makeSystem(to) {
  const file = 'shared/system.js'
  const modules = readdirSync(join(lib, 'system')).sort()
  const contents = modules.map(name => `export * from './system/${name}'\n`).join('')
  const options = { stdin: { contents, resolveDir: lib, sourcefile: 'system' }, outfile: join(to, file) }
  const made = []
  const names = await make(options, file => {
    made.push(once(file))
    return asModule(made[0])
  })
  return { part: 'system', file, names, code: made[0] }
}

/** One entry. Modules that it loads by import() become separate files. */
function makeEntry(entry, to, { own = '', libraryFromHere, shared }, change = made => made) {
  const folder = dirname(entry)
  const options = {
    entryPoints: [join(lib, entry)],
    outbase: lib,
    outdir: to,
    splitting: true,
    chunkNames: `${folder}/[name]-[hash]`,
    define: { LIBRARY_FROM_HERE: JSON.stringify(libraryFromHere) },
    plugins: [fromShared(entry, own, shared)],
  }
  return make(options, change)
}

/** The entries for bundled programs. A bundler must be able to follow their imports. */
function makePrebuilt(to, shared) {
  const folder = 'native/prebuilt'
  return make({
    entryPoints: readdirSync(join(lib, folder)).map(name => join(lib, folder, name)),
    outdir: join(to, folder),
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    plugins: [fromShared(`${folder}/any.cjs`, '', shared)],
  })
}

/** Bundles lib/ into the folder `to`. */
export async function bundle(to) {
  // Parts of lib/ that are one file each, shared by all entries. A program that imports two entries gets one copy of
  // each class. All other modules are inlined into every entry that needs them.
  const system = await makeSystem(to)
  const shared = [system, { part: 'sim', file: 'sim/index.js' }]
  // Where an entry is split, one import for all modules would be one more file.
  const inChunks = shared.map(({ part, file }) => ({ part, file }))
  // The main entry contains the code of system/: to find and read a second file takes 1 ms.
  const paths = { from: system.file, to: 'index.js', imported: `./${system.file}` }
  const withSystem = made => inPlaceOfImport(made, system.code, paths)
  await Promise.all([
    makeEntry('index.ts', to, { libraryFromHere: '.', shared }, withSystem),
    makeEntry('sim/index.ts', to, { own: 'sim', libraryFromHere: '..', shared }),
    makeEntry('syscalls/index.ts', to, { libraryFromHere: '..', shared }),
    makeEntry('cli/main.ts', to, { libraryFromHere: '..', shared: inChunks }),
    makePrebuilt(to, shared),
  ])
  await stop()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.argv[2])
