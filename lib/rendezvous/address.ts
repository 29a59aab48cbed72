/** The address that a held program is reported to: `unix:PATH`, `fifo:PATH` or `fd:N`. */

/** A parsed address. */
export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fifo'; readonly path: string }
  | { readonly kind: 'fd'; readonly fd: number }

/** sun_path has 108 bytes, and the last is the NUL. A longer path would be cut, and name another socket. */
const longestSocketPath = 107

/** Parses an address. For a text that is none, returns a string that says why. */
export function parseAddress(text: string): Address | string {
  const [, kind, rest = ''] = /^(unix|fifo|fd):(.*)$/s.exec(text) ?? []
  if (kind === undefined) return 'needs unix:PATH, fifo:PATH or fd:N'
  if (kind === 'fd') return /^\d{1,9}$/.test(rest) ? { kind, fd: Number(rest) } : 'needs fd:N with a number'
  if (rest === '') return `needs a path after ${kind}:`
  if (kind === 'fifo') return { kind, path: rest }
  const bytes = Buffer.byteLength(rest)
  if (bytes > longestSocketPath) return `has a path of ${bytes} bytes; a socket's has at most ${longestSocketPath}`
  return { kind: 'unix', path: rest }
}
