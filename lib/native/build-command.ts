/** Building the addon from source, where no prebuilt one fits: the command, and where its result is. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The command, for a POSIX shell, that builds the addon of the package installed at `packageRoot`.
 * It needs a C++17 compiler, make and python3.
 *
 * node-gyp takes Node's headers from beside this Node where they are installed there, else it downloads them.
 */
export function buildCommand(packageRoot: string): string {
  const prefix = dirname(dirname(process.execPath))
  const words = [
    // binding.gyp finds node-addon-api by the PATH that npx makes.
    ...['npx', '--yes', '--package=node-gyp@12', '--package=node-addon-api@8', '--'],
    ...['node-gyp', 'rebuild', `--directory=${bindingFolder(packageRoot)}`],
    ...(existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []),
  ]
  return words.map(quoted).join(' ')
}

/** The addon that was built from source, or where {@link buildCommand} would put it. */
export function builtAddonPath(packageRoot: string): string {
  const built = (folder: string) => join(folder, 'build/Release/tracegate.node')
  const found = [packageRoot, join(packageRoot, 'src')].map(built).find(path => existsSync(path))
  return found ?? built(bindingFolder(packageRoot))
}

// A clone has a binding.gyp at its root. The package has none there: package managers would build it at every install.
function bindingFolder(packageRoot: string): string {
  return existsSync(join(packageRoot, 'binding.gyp')) ? packageRoot : join(packageRoot, 'src')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
