/** The search for a program, as in execvp(3): the child tries the candidates in turn. */

import { invalidType } from '../../system/arguments.ts'

// The value of confstr(_CS_PATH), used where the environment has no PATH.
const defaultPath = '/bin:/usr/bin'

/** PATH_MAX in bytes, the final NUL included. */
const pathMaxBytes = 4096
// UTF-8 takes at most three bytes for each UTF-16 unit.
const surelyShortUnits = Math.floor((pathMaxBytes - 1) / 3)

const utf8 = new TextEncoder()

/**
 * The candidates for `file`: the file itself if it has a slash, else one in each folder of PATH. An empty folder is the
 * working directory.
 *
 * A folder that is too long is skipped. If all are too long, the first one is tried: the kernel fails it with
 * ENAMETOOLONG.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE for a PATH that is no string.
 */
export function searchPath(file: string, path: unknown, name: string): string[] {
  if (file.includes('/')) return [file]
  if (path !== undefined && typeof path !== 'string') throw invalidType(name, 'of type string', path)
  const folders = (path ?? defaultPath).split(':')
  const possible = folders.filter(isShortEnough)
  const tried = possible.length > 0 ? possible : folders.slice(0, 1)
  return [...new Set(tried.map(folder => (folder === '' ? file : `${folder}/${file}`)))]
}

function isShortEnough(folder: string): boolean {
  return folder.length <= surelyShortUnits || utf8.encode(folder).length < pathMaxBytes
}
