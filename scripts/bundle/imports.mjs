// How the published files get what is not in them: modules of Node, and the files that all entries share.

import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @typedef {{ part: string, file: string, names?: readonly string[] }} SharedFile */

export const lib = fileURLToPath(new URL('../../lib/', import.meta.url))

/**
 * Replaces imports of Node's modules by process.getBuiltinModule(). An import evaluates every export of the module:
 * those of node:fs load its promises and its streams, those of node:util a parser of MIME types.
 */
export function withoutNamespaces(code) {
  const got = module => `process.getBuiltinModule("${module}");`
  return code
    .replace(/^import (\{[^}]*\}) from "(node:[^"]*)";$/gm, (_, names, module) => {
      return `var ${names.replaceAll(' as ', ': ')} = ${got(module)}`
    })
    .replace(/^import (\w+) from "(node:[^"]*)";$/gm, (_, name, module) => `var ${name} = ${got(module)}`)
}

/**
 * Resolves an import of a shared part's module to that part's file. Modules of `own`, the part being built, stay
 * inside. `output`: the file being built.
 *
 * A shared file with `names` is imported once, not by each module: all of them import a module that re-exports those
 * names. It takes the place of the part's module of types, which has no code of its own, and whose name the source maps
 * then show.
 */
export const fromShared = (output, own, /** @type {readonly SharedFile[]} */ shared) => ({
  name: 'shared files',
  setup(building) {
    const typesOf = part => join(lib, part, `${part}.ts`)
    const urlOf = ({ file }) => {
      const path = relative(dirname(output), file)
      return path.startsWith('.') ? path : `./${path}`
    }
    building.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
      if (kind === 'entry-point') return undefined
      // An addon stays in place: dist/ and lib/ are equally far from it.
      if (path.endsWith('.node')) return { path, external: true }
      const [part] = relative(lib, join(resolveDir, path)).split('/')
      const found = part === own ? undefined : shared.find(each => each.part === part)
      if (found === undefined) return undefined
      const isOnce = found.names !== undefined && kind === 'import-statement'
      return isOnce ? { path: typesOf(part) } : { path: urlOf(found), external: true }
    })
    for (const each of shared) {
      if (each.names === undefined) continue
      building.onLoad({ filter: new RegExp(`^${typesOf(each.part)}$`) }, () => {
        return { contents: `export { ${each.names?.join(', ')} } from 'shared:${urlOf(each)}'`, loader: 'js' }
      })
    }
    building.onResolve({ filter: /^shared:/ }, ({ path }) => ({ path: path.slice('shared:'.length), external: true }))
  },
})
