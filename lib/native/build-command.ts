/** Building the addon from source if no prebuilt one fits: the command, and the path of its result. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The command, for a POSIX shell, that builds the addon of the package installed at `packageRoot`.
 * It needs a C++17 compiler, make and python3.
 *
 * node-gyp uses the headers installed beside this Node, if any; otherwise it downloads them.
 */
export function buildCommand(packageRoot: string): string {
  const prefix = dirname(dirname(process.execPath))
  const words = [
    // binding.gyp finds node-addon-api through the PATH that npx sets.
    ...['npx', '--yes', '--package=node-gyp@12', '--package=node-addon-api@8', '--'],
    ...['node-gyp', 'rebuild', `--directory=${bindingFolder(packageRoot)}`],
    ...(existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []),
  ]
  return words.map(quoted).join(' ')
}

/** The addon built from source, or the path where {@link buildCommand} would put it. */
export function builtAddonPath(packageRoot: string): string {
  const built = (folder: string) => join(folder, 'build/Release/tracegate.node')
  const found = [packageRoot, join(packageRoot, 'src')].map(built).find(path => existsSync(path))
  return found ?? built(bindingFolder(packageRoot))
}

// A clone has binding.gyp at its root. The package must not: package managers would build it at every install.
function bindingFolder(packageRoot: string): string {
  return existsSync(join(packageRoot, 'binding.gyp')) ? packageRoot : join(packageRoot, 'src')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
