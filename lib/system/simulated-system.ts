/**
 * The link from openSystem() to the simulated kernel, which loads only if a program needs it.
 *
 * 'tracegate/sim' registers itself here when it loads. Both entry points share this module, in the package and in a
 * bundle of both.
 */

import type { System } from './system.ts'

/** What a standard stream has in both directions. The errors that it throws have an errno's name as their `code`. */
interface StandardFile {
  /** Whether input or room comes while the JavaScript thread is blocked. */
  readonly changesWhileBlocked: boolean
  /** Calls back whenever there may be input or room; returns the function that ends the watch. */
  watch(changed: () => void): () => void
}

/** Standard input for the host of a simulated world. */
export interface InputFile extends StandardFile {
  /** Moves available bytes into the buffer: their number, 0 at end of file, undefined if there are none yet. */
  read(buffer: Uint8Array): number | undefined
}

/** Standard output or error of a process. */
export interface OutputFile extends StandardFile {
  /** Takes bytes: their number, 0 if there is no room yet. */
  write(data: Uint8Array): number
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
