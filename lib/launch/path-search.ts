/** Where a program is looked for, as execvp(3) does it: the child tries the candidates in turn. */

// What confstr(_CS_PATH) gives where the environment has no PATH.
const defaultPath = '/bin:/usr/bin'

/** The candidates for `file`: itself when it has a slash, else one in each directory of PATH (an empty one is the working directory). */
export function searchPath(file: string, env: Readonly<Record<string, string | undefined>>): string[] {
  if (file.includes('/')) return [file]
  const candidates = (env.PATH ?? defaultPath).split(':').map(folder => (folder === '' ? file : `${folder}/${file}`))
  return [...new Set(candidates)]
}
