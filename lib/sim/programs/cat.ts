import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { writeAll } from './write-all.ts'

const bufferBytes = 65_536

/** /bin/cat: copies input to output. It reads standard input only, named by `-` or by no argument. */
export function* cat(process: SimulatedProcess): Calling<number> {
  const [, ...names] = process.argv
  let code = 0
  for (const name of names.length > 0 ? names : ['-']) {
    if (name === '-') {
      code ||= yield* copyInput(process)
    } else {
      yield* writeAll(process, 2, new TextEncoder().encode(`cat: ${name}: No such file or directory\n`))
      code = 1
    }
  }
  return code
}

function* copyInput(process: SimulatedProcess): Calling<number> {
  const buffer = new Uint8Array(bufferBytes)
  try {
    for (;;) {
      const bytes = yield* process.read(0, buffer)
      if (bytes === 0) return 0
      if (!(yield* writeAll(process, 1, buffer.subarray(0, bytes)))) return 1
    }
  } catch {
    return 1
  }
}
