/** Where a program is looked for, as execvp(3) does it: the child tries the candidates in turn. */

import { invalidType } from '../system/arguments.ts'

// What confstr(_CS_PATH) gives where the environment has no PATH.
const defaultPath = '/bin:/usr/bin'

/** PATH_MAX, in bytes and with the NUL at its end. */
const pathMaxBytes = 4096
// No string of JavaScript takes more than three bytes a unit.
const surelyShortUnits = Math.floor((pathMaxBytes - 1) / 3)

const utf8 = new TextEncoder()

/**
 * The candidates for `file`: itself when it has a slash, else one in each folder of PATH (an empty one is the working directory).
 *
 * A folder too long to be one is passed over. Where all are, the first stands for them: the kernel says ENAMETOOLONG.
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
