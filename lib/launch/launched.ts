/** The result type of launch(), derived from the types of its options. */

import type { Child } from './handles/child.ts'
import type { Tracee } from './handles/tracee.ts'
import type { LaunchOptions } from './options/options.ts'
import type { StdioOptions } from './stdio/stdio-entries.ts'
import type { ChildReadable, ChildWritable } from './stdio/streams.ts'

/**
 * The type of an option; undefined where it is left out. Distributes over a union of option types.
 */
type Setting<Options, Name extends keyof LaunchOptions> = Options extends unknown
  ? Name extends keyof Options
    ? Options[Name]
    : undefined
  : never

type ProcessOf<Trace> = Trace extends false ? Child : Tracee

/** The entry of `stdio` for a descriptor. */
type EntryOf<Stdio, Fd extends 0 | 1 | 2> = Stdio extends readonly unknown[]
  ? number extends Stdio['length']
    ? Stdio[number] | undefined
    : `${Fd}` extends keyof Stdio
      ? Stdio[Fd]
      : undefined
  : Stdio

/** A stream if the entry makes a pipe, as an entry that is left out does; else null. */
type StreamOf<Entry, Stream> = Entry extends 'pipe' | null | undefined ? Stream : null

interface Streams<Stdio> {
  readonly stdin: StreamOf<EntryOf<Stdio, 0>, ChildWritable>
  readonly stdout: StreamOf<EntryOf<Stdio, 1>, ChildReadable>
  readonly stderr: StreamOf<EntryOf<Stdio, 2>, ChildReadable>
}

/**
 * The result of a launch with these options: a Child if `trace` is false, else a Tracee; either of them if the type
 * leaves `trace` open. stdin, stdout and stderr are each a stream if `stdio` makes a pipe there, else null.
 *
 * @example const starting: Promise<Launched<{ trace: false; stdio: ['ignore', 'pipe', 'inherit'] }>>
 */
export type Launched<Options extends LaunchOptions> = [StdioOptions] extends [Setting<Options, 'stdio'>]
  ? ProcessOf<Setting<Options, 'trace'>>
  : ProcessOf<Setting<Options, 'trace'>> & Streams<Setting<Options, 'stdio'>>

/**
 * Refuses unknown options, which a type parameter would let through: the type of each is never.
 *
 * @example const start = <const O extends LaunchOptions>(options: O & KnownOptions<O>) => launch('/bin/sh', options)
 */
export type KnownOptions<Options> = {
  readonly [Name in keyof Options]: Name extends keyof LaunchOptions ? LaunchOptions[Name] : never
}
