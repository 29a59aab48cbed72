/** What launch() gives, told by the types of its options. */

import type { Child } from './child.ts'
import type { LaunchOptions } from './options.ts'
import type { StdioOptions } from './stdio.ts'
import type { ChildReadable, ChildWritable } from './streams.ts'
import type { Tracee } from './tracee.ts'

/** The type of an option; undefined where it is left out. Of each alternative, where the options are one of several. */
type Setting<Options, Name extends keyof LaunchOptions> = Options extends unknown
  ? Name extends keyof Options
    ? Options[Name]
    : undefined
  : never

type ProcessOf<Trace> = Trace extends false ? Child : Tracee

/** What `stdio` asks of a descriptor. */
type EntryOf<Stdio, Fd extends 0 | 1 | 2> = Stdio extends readonly unknown[]
  ? number extends Stdio['length']
    ? Stdio[number] | undefined
    : `${Fd}` extends keyof Stdio
      ? Stdio[Fd]
      : undefined
  : Stdio

/** A stream where the entry makes a pipe, as one that is left out does; else null. */
type StreamOf<Entry, Stream> = Entry extends 'pipe' | null | undefined ? Stream : null

interface Streams<Stdio> {
  readonly stdin: StreamOf<EntryOf<Stdio, 0>, ChildWritable>
  readonly stdout: StreamOf<EntryOf<Stdio, 1>, ChildReadable>
  readonly stderr: StreamOf<EntryOf<Stdio, 2>, ChildReadable>
}

/**
 * What a launch with these options gives: a Child where `trace` is false, else a Tracee, or either where the type leaves that open; its stdin, stdout
 * and stderr a stream where `stdio` makes a pipe, null where it does not.
 *
 * @example const starting: Promise<Launched<{ trace: false; stdio: ['ignore', 'pipe', 'inherit'] }>>
 */
export type Launched<Options extends LaunchOptions> = [StdioOptions] extends [Setting<Options, 'stdio'>]
  ? ProcessOf<Setting<Options, 'trace'>>
  : ProcessOf<Setting<Options, 'trace'>> & Streams<Setting<Options, 'stdio'>>

/** What options may be: an option that there is not, which a type parameter would let through, is none. */
export type KnownOptions<Options> = {
  readonly [Name in keyof Options]: Name extends keyof LaunchOptions ? LaunchOptions[Name] : never
}
