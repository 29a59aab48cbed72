/**
 * The way from openSystem() to the simulated kernel, which is loaded only where a program needs it.
 *
 * 'tracegate/sim' provides itself here when it is loaded. Both entries share this module, in the package as in a bundle of both.
 */

import type { System } from './system.ts'

/** Standard input of a process, for a simulated world's host. */
export interface InputFile {
  /** Moves what is there into the buffer: the bytes, 0 at end of file, undefined when there is nothing yet. */
  read(buffer: Uint8Array): number | undefined
  /** Calls back whenever there may be something to read; returns the function that ends it. */
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

/** Makes a new simulated world on the real clock; the System of its host, which has these files as its descriptors 0 to 2. */
export type OpenSimulated = (stdio: StandardFiles) => System

let provided: OpenSimulated | undefined

/** Called by the simulated kernel when it is loaded. */
export function provideSimulated(open: OpenSimulated): void {
  provided = open
}

/** What was provided; undefined where the simulated kernel is not loaded. */
export function providedSimulated(): OpenSimulated | undefined {
  return provided
}
