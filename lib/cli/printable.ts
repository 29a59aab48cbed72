/** Outside text in the command's output. */

import { printable } from '../system/printable.ts'

export { printable }

/** Like {@link printable}, but keeps newlines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** A quoted name for a one-line error; a long one is cut. */
export function quoted(text: string): string {
  return `'${text.length > 200 ? `${text.slice(0, 200)}…` : text}'`
}
