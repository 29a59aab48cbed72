/**
 * The link from openSystem() to the simulated kernel, which loads only if a program needs it.
 *
 * 'tracegate/sim' registers itself here when it loads. Both entry points share this module, in the package and in a
 * bundle of both.
 */

import type { System } from './system.ts'

/** Standard input for the host of a simulated world. */
export interface InputFile {
  /** Moves available bytes into the buffer: their number, 0 at end of file, undefined if there are none yet. */
  read(buffer: Uint8Array): number | undefined
  /** Calls back whenever there may be input; returns the function that ends the watch. */
  watch(changed: () => void): () => void
}

/** Standard output or error of a process. */
interface OutputFile {
  /** Takes all of the bytes. */
  write(data: Uint8Array): void
}

/** The standard streams of a process. */
export interface StandardFiles {
  readonly 0: InputFile
  readonly 1: OutputFile
  readonly 2: OutputFile
}

/** Makes a simulated world on the real clock. Returns its host's System, with these files as descriptors 0 to 2. */
export type OpenSimulated = (stdio: StandardFiles) => System

let provided: OpenSimulated | undefined

/** The simulated kernel calls this when it loads. */
export function provideSimulated(open: OpenSimulated): void {
  provided = open
}

/** The registered simulated kernel; undefined if it is not loaded. */
export function providedSimulated(): OpenSimulated | undefined {
  return provided
}
