/** The process's standard streams, as descriptors 0 to 2 of a simulated world's host. */

import type { InputFile, StandardFiles } from '../system/simulated-system.ts'

/** Standard input, opened at the first read. A blocking read cannot wait for input that its own thread delivers. */
function standardInput(): InputFile {
  let ended = false
  let rest: Buffer | null = null
  return {
    read(buffer) {
      rest ??= process.stdin.read() as Buffer | null
      if (rest === null) return ended || process.stdin.readableEnded ? 0 : undefined
      const bytes = rest.copy(buffer)
      rest = bytes < rest.length ? rest.subarray(bytes) : null
      return bytes
    },
    watch(changed) {
      const end = () => {
        ended = true
        changed()
      }
      process.stdin.on('readable', changed).once('end', end).once('error', end)
      return () => {
        process.stdin.off('readable', changed).off('end', end).off('error', end)
        process.stdin.pause()
      }
    },
  }
}

/** The three streams. */
export function processStdio(): StandardFiles {
  return {
    0: standardInput(),
    1: { write: data => void process.stdout.write(data) },
    2: { write: data => void process.stderr.write(data) },
  }
}
