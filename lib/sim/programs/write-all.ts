import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'

/** Writes all of the bytes, in as many calls as necessary. Returns whether that succeeded. */
export function* writeAll(process: SimulatedProcess, fd: number, bytes: Uint8Array): Calling<boolean> {
  try {
    for (let done = 0; done < bytes.length; ) done += yield* process.write(fd, bytes.subarray(done))
    return true
  } catch {
    return false
  }
}
