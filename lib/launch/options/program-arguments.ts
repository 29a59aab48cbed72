/** The checks of launch()'s program and its arguments. */

import { checkList, checkString, invalidValue } from '../../system/arguments.ts'

/** argv: `argv0` or the file, then the arguments, each read once. */
export function checkArguments(file: string, args: unknown, argv0 = file): string[] {
  const list = checkList(
    args,
    () => 'args',
    (arg, name) => (isPlain(arg) ? arg : checkString(arg, name())),
  )
  return [argv0, ...list]
}

function isPlain(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

/** The program's name or path. */
export function checkFile(value: unknown): string {
  const file = checkString(value, 'file')
  if (file === '') throw invalidValue('file', 'must not be empty', file)
  return file
}
