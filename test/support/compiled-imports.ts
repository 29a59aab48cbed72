/**
 * Gives the tests of test/explore the compiled library, which Node loads by itself.
 *
 * Vite makes each use of an import a call of a getter, which takes 40 percent of the time of an exploration.
 */

import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { compiledLibrary } from './compiled-library.ts'

const library = fileURLToPath(new URL('../../lib/', import.meta.url))
const explorations = fileURLToPath(new URL('../explore/', import.meta.url))

/** The paths of compiled modules, which Vite leaves to Node. */
export const compiledModules = /\/library-[0-9a-f]{16}\/lib\//

/** The plugin; while Vitest watches for changes it does nothing, as a change would have to be compiled again. */
export function compiledImports(): Plugin {
  let isWatching = false
  return {
    name: 'tracegate:compiled-imports',
    enforce: 'pre',
    configureVitest({ vitest }) {
      isWatching = vitest.config.watch
    },
    resolveId(source, importer) {
      if (isWatching || !source.startsWith('.') || !importer?.startsWith(explorations)) return null
      const path = resolve(dirname(importer), source)
      if (!path.startsWith(library)) return null
      return join(fileURLToPath(compiledLibrary()), path.slice(library.length).replace(/ts$/, 'js'))
    },
  }
}
