import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { writeAll } from './write-all.ts'

/** /bin/echo: writes its arguments, separated by spaces, and a newline. `-n` omits the newline. */
export function* echo(process: SimulatedProcess): Calling<number> {
  const [, ...words] = process.argv
  const plain = words[0] === '-n'
  const text = (plain ? words.slice(1) : words).join(' ')
  return (yield* writeAll(process, 1, new TextEncoder().encode(plain ? text : `${text}\n`))) ? 0 : 1
}
