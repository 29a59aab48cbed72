/** The check of `stdio`: what each descriptor of a child is to be. */

import type { Readable, Writable } from 'node:stream'
import { invalidValue, outOfRange } from '../../system/arguments.ts'
import type { System } from '../../system/system.ts'
import { Channel, isChannelOf } from '../channel/channel.ts'
import { InheritedFds } from './inherited-fds.ts'
import { isSlaveOf, PtySlave } from './pty.ts'

/** A stream over a descriptor: a file's, a socket's, another child's. */
export interface StreamWithFd {
  /** The descriptor; null or left out while there is none. */
  readonly fd?: number | null
}

/**
 * What one descriptor of the child is to be.
 *
 * A descriptor that is handed on ('inherit', a number, a stream) is one open file description in both processes. As
 * descriptor 0 to 2 of the child it is made blocking, which makes it blocking in this process too. Above 2 its
 * O_NONBLOCK stays as it is. child_process does the same.
 *
 * A stream given here stops reading at once, so that the child gets all further input. Only `resume()` reads on here.
 *
 * Of a Channel the child gets the write end. A successful launch closes that end here, so the child's death gives the
 * Channel its end of file. Likewise it closes the slave of a terminal. A failed launch leaves both as they were.
 */
export type StdioEntry =
  | 'pipe'
  | 'inherit'
  | 'ignore'
  | number
  | StreamWithFd
  | Readable
  | Writable
  | Channel
  | PtySlave
  | null
  | undefined

/** As in child_process: one word for all three, or a list of any length. */
export type StdioOptions = 'pipe' | 'inherit' | 'ignore' | readonly StdioEntry[] | InheritedFds

/** The end of a Channel or a terminal. A successful launch closes it here, so that only the program has it. */
export interface GivenEnd {
  belongsTo(system: System): boolean
  close(): void
}

/** What one descriptor of the child is to be, checked. */
export type Wanted =
  | { readonly kind: 'pipe' | 'ignore' | 'closed' }
  | { readonly kind: 'fd'; readonly fd: number; readonly stream?: object; readonly given?: GivenEnd }

/** The check's result. */
export interface CheckedStdio {
  /** An entry for each descriptor of the child, at least three. */
  readonly wanted: readonly Wanted[]
  /** Descriptors of this process that the child keeps at the same numbers, all above those of `wanted`. */
  readonly inheritedFds: readonly number[]
}

/** The kernel's default limit of descriptors per process (fs.nr_open). */
const mostDescriptors = 1 << 20

const uniformStdio: ReadonlyMap<string, CheckedStdio> = new Map(
  ['pipe', 'inherit', 'ignore'].map(word => [
    word,
    { wanted: [0, 1, 2].map(fd => checkEntry(word, fd)), inheritedFds: [] },
  ]),
)

/** Reads `stdio` as child_process does. */
export function checkStdio(value: unknown, name = 'options.stdio'): CheckedStdio {
  const uniform = typeof value === 'string' ? uniformStdio.get(value) : undefined
  if (uniform !== undefined) return uniform
  if (value instanceof InheritedFds) {
    const { fds, closed, placed } = value
    const count = Math.max(2, ...placed.keys()) + 1
    const isInherited = (fd: number) => (fd < 3 ? !closed.includes(fd) : fds.includes(fd))
    const wanted = Array.from({ length: count }, (_, target): Wanted => {
      const fd = placed.get(target) ?? (isInherited(target) ? target : undefined)
      return fd === undefined ? { kind: 'closed' } : { kind: 'fd', fd }
    })
    return { wanted, inheritedFds: fds.filter(fd => fd >= count) }
  }
  if (!Array.isArray(value)) throw invalidValue(name, "must be 'pipe', 'inherit', 'ignore' or a list", value)
  const { length } = value
  if (length > mostDescriptors) throw outOfRange(`${name}.length`, `at most ${mostDescriptors}`, length)
  const wanted = Array.from({ length: Math.max(3, length) }, (_, fd) => checkEntry(value[fd], fd))
  return { wanted, inheritedFds: [] }
}

function checkEntry(entry: unknown, fd: number): Wanted {
  if (entry === undefined || entry === null) return { kind: fd < 3 ? 'pipe' : 'ignore' }
  if (entry === 'pipe' || entry === 'overlapped') return { kind: 'pipe' }
  if (entry === 'ignore') return { kind: 'ignore' }
  if (entry === 'inherit') return { kind: 'fd', fd }
  if (typeof entry === 'number') {
    if (isDescriptor(entry)) return { kind: 'fd', fd: entry }
    throw invalidValue(`options.stdio[${fd}]`, 'must be a descriptor', entry)
  }
  if (entry instanceof Channel) return channelEntry(entry, fd)
  if (entry instanceof PtySlave) return slaveEntry(entry, fd)
  const streamFd = typeof entry === 'object' ? fdOf(entry) : undefined
  if (streamFd !== undefined) return { kind: 'fd', fd: streamFd, stream: entry as object }
  const shown = typeof entry === 'object' ? 'a stream without a descriptor' : String(entry)
  throw invalidValue(
    `options.stdio[${fd}]`,
    "must be 'pipe', 'inherit', 'ignore', a descriptor, a stream with one, a Channel or a terminal's slave",
    shown,
  )
}

function channelEntry(channel: Channel, target: number): Wanted {
  const fd = channel.writeFd
  if (fd >= 0) {
    return {
      kind: 'fd',
      fd,
      given: { belongsTo: system => isChannelOf(channel, system), close: () => channel.closeWrite() },
    }
  }
  throw invalidValue(`options.stdio[${target}]`, 'must be a Channel with a write end', 'one without')
}

function slaveEntry(slave: PtySlave, target: number): Wanted {
  const { fd } = slave
  if (fd >= 0)
    return { kind: 'fd', fd, given: { belongsTo: system => isSlaveOf(slave, system), close: () => slave.close() } }
  const why = 'must be a terminal whose slave is open; an earlier launch that was given it has closed it'
  throw invalidValue(`options.stdio[${target}]`, why)
}

/** Refuses a Channel or a terminal of another System: its descriptors mean other files here. */
export function requireEndsOf(system: System, wanted: readonly Wanted[]): void {
  for (let target = 0; target < wanted.length; target++) {
    const entry = wanted[target]!
    if (entry.kind !== 'fd' || entry.given?.belongsTo(system) !== false) continue
    throw invalidValue(`options.stdio[${target}]`, 'must be of the System of the launch', 'one of another')
  }
}

function fdOf(stream: object): number | undefined {
  // A file stream has `fd` itself; a net.Socket has it on its handle.
  const { fd, _handle: handle } = stream as { fd?: unknown; _handle?: { fd?: unknown } | null }
  const found = typeof fd === 'number' ? fd : handle?.fd
  return isDescriptor(found) ? found : undefined
}

function isDescriptor(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0x7fffffff
}
