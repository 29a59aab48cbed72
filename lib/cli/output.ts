/**
 * What the command itself writes, by descriptor.
 *
 * Not through process.stdout and process.stderr: they make a pipe non-blocking for everybody who has it open, and a program that writes
 * faster than its reader reads would fail with EAGAIN.
 */

import { writeSync } from 'node:fs'

/** Writes the whole text. Throws when nobody can read it. */
function write(fd: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      // Somebody else has made it non-blocking, and it is full: a moment later there may be room.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

/** Writes what was asked for to standard output. */
export function print(text: string): void {
  write(1, text)
}

/** Writes what goes along with it to standard error. Whoever stops reading that must not end the program with it. */
export function report(text: string): void {
  try {
    write(2, text)
  } catch {
    // There is nobody to tell.
  }
}
