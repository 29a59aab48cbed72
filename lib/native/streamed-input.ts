/** Standard input by Node's stream, for descriptors that cannot be read without blocking. */

import type { Buffer } from 'node:buffer'
import type { InputFile } from '../system/simulated-system.ts'

/** Opened at the first read. A blocking host call cannot wait for it: its own thread delivers the input. */
export function streamedInput(): InputFile {
  let ended = false
  let failure: Error | undefined
  let rest: Buffer | null = null
  return {
    changesWhileBlocked: false,
    read(buffer) {
      rest ??= process.stdin.read() as Buffer | null
      if (rest === null) {
        // As on Linux, an error is reported once.
        const error = failure
        failure = undefined
        if (error !== undefined) throw error
        return ended || process.stdin.readableEnded ? 0 : undefined
      }
      const bytes = rest.copy(buffer)
      rest = bytes < rest.length ? rest.subarray(bytes) : null
      return bytes
    },
    watch(changed) {
      const end = (error?: Error) => {
        ended = true
        failure = error
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
