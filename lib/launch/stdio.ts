/** The child's descriptors: what `stdio` asks for, the pipes that takes, and the actions that put everything into place. */

import type { Readable, Writable } from 'node:stream'
import { invalidValue } from '../system/arguments.ts'
import type { ChildAction } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import type { System } from '../system/system.ts'
import { OwnedFd, toBeOwned } from './owned-fd.ts'
import { ChildDuplex, ChildReadable, ChildWritable } from './streams.ts'

const { AF_UNIX, F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, O_CLOEXEC, O_NONBLOCK, O_RDWR, SOCK_CLOEXEC, SOCK_STREAM } =
  constants

/** A stream over a descriptor: a file's, a socket's, another child's. */
export interface StreamWithFd {
  readonly fd?: number | null
}

/** What one descriptor of the child is to be. */
export type StdioEntry = 'pipe' | 'inherit' | 'ignore' | number | StreamWithFd | Readable | Writable | null | undefined

/** As in child_process: one word for all three, or a list of any length. */
export type StdioOptions = 'pipe' | 'inherit' | 'ignore' | readonly StdioEntry[]

/** Streams that are some child's descriptor now: what comes out of them is not this process's to read. */
export const givenAway = new WeakSet<object>()

/** What one descriptor of the child is to be, checked. */
export type Wanted =
  | { readonly kind: 'pipe' | 'ignore' }
  | { readonly kind: 'fd'; readonly fd: number; readonly stream?: object }

/** A stream to a child, of one of the kinds that `stdio: 'pipe'` gives. */
export type ChildStream = ChildReadable | ChildWritable | ChildDuplex

const uniformStdio: ReadonlyMap<string, readonly Wanted[]> = new Map(
  ['pipe', 'inherit', 'ignore'].map(word => [word, [0, 1, 2].map(fd => checkEntry(word, fd))]),
)

/** Reads `stdio` as child_process does; the entry of each of the child's descriptors, three at least. */
export function checkStdio(value: unknown): readonly Wanted[] {
  const uniform = typeof value === 'string' ? uniformStdio.get(value) : undefined
  if (uniform !== undefined) return uniform
  if (!Array.isArray(value)) throw invalidValue('options.stdio', "must be 'pipe', 'inherit', 'ignore' or a list", value)
  return Array.from({ length: Math.max(3, value.length) }, (_, fd) => checkEntry(value[fd], fd))
}

function checkEntry(entry: unknown, fd: number): Wanted {
  if (entry === undefined || entry === null) return { kind: fd < 3 ? 'pipe' : 'ignore' }
  if (entry === 'pipe' || entry === 'overlapped') return { kind: 'pipe' }
  if (entry === 'ignore') return { kind: 'ignore' }
  if (entry === 'inherit') return { kind: 'fd', fd }
  if (typeof entry === 'number') {
    if (Number.isInteger(entry) && entry >= 0 && entry <= 0x7fffffff) return { kind: 'fd', fd: entry }
    throw invalidValue(`options.stdio[${fd}]`, 'must be a descriptor', entry)
  }
  const streamFd = typeof entry === 'object' ? fdOf(entry) : undefined
  if (streamFd !== undefined) return { kind: 'fd', fd: streamFd, stream: entry as object }
  const shown = typeof entry === 'object' ? 'a stream without a descriptor' : String(entry)
  throw invalidValue(
    `options.stdio[${fd}]`,
    "must be 'pipe', 'inherit', 'ignore', a descriptor or a stream with one",
    shown,
  )
}

function fdOf(stream: object): number | undefined {
  // A file stream has its descriptor itself, a net.Socket's is its handle's.
  const { fd, _handle: handle } = stream as { fd?: unknown; _handle?: { fd?: unknown } | null }
  const found = typeof fd === 'number' ? fd : handle?.fd
  return typeof found === 'number' && found >= 0 ? found : undefined
}

/** The descriptors of one launch, on both sides. */
export class Stdio {
  /** The parent's ends, one for each of the child's descriptors; null where there is none. */
  readonly streams: readonly (ChildStream | null)[]
  readonly #count: number
  readonly #childEnds: readonly OwnedFd[]
  // Of each target: the descriptor that becomes it; null for /dev/null.
  readonly #sources: readonly (number | null)[]

  /** Opens the pipes. What was opened before a failure is closed again. */
  static open(system: System, wanted: readonly Wanted[]): Stdio {
    const opened: OwnedFd[] = []
    try {
      return new Stdio(system, wanted, opened)
    } catch (error) {
      for (const owned of opened) owned.close()
      throw error
    }
  }

  private constructor(system: System, wanted: readonly Wanted[], opened: OwnedFd[]) {
    const own = (fd: number, what?: string) => {
      const owned = new OwnedFd(system, fd, what)
      opened.push(owned)
      return owned
    }
    const childEnds: OwnedFd[] = []
    const streams: (ChildStream | null)[] = []
    this.#count = wanted.length
    this.#sources = wanted.map((entry, target) => {
      streams[target] = null
      if (entry.kind === 'ignore') return null
      if (entry.kind === 'fd') {
        if (entry.stream !== undefined) {
          givenAway.add(entry.stream)
          // Streams of Node's are non-blocking, which is no way to start a program on its standard descriptors.
          if (target < 3) setBlocking(system, entry.fd)
        }
        return entry.fd
      }
      const twoWay = target >= 3
      const [a, b] = toBeOwned(system, () =>
        twoWay ? system.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC) : system.pipe2(O_CLOEXEC),
      )
      // The child's end is closed with the launch, the other one belongs to a stream that somebody may forget.
      const readEnd = own(a, target === 0 ? undefined : `stdio ${target}`)
      const writeEnd = own(b, target === 0 ? `stdio ${target}` : undefined)
      const childEnd = target === 0 ? readEnd : writeEnd
      childEnds.push(childEnd)
      if (twoWay) streams[target] = new ChildDuplex(system, readEnd)
      else if (target === 0) streams[target] = new ChildWritable(system, writeEnd)
      else streams[target] = new ChildReadable(system, readEnd)
      return childEnd.fd
    })
    this.streams = streams
    this.#childEnds = childEnds
  }

  /** Opens a pipe for the launch itself, its descriptors above all that the child will have: no dup2 may hit them. */
  pipeAbove(system: System, flags = 0): { read: number; write: number } {
    return toBeOwned(system, () => this.#pipeAbove(system, flags))
  }

  #pipeAbove(system: System, flags: number): { read: number; write: number } {
    const ends = system.pipe2(O_CLOEXEC | flags)
    const [read, write] = ends
    if (read >= this.#count && write >= this.#count) return { read, write }
    const above: number[] = []
    try {
      for (const fd of ends) above.push(fd < this.#count ? system.fcntl(fd, F_DUPFD_CLOEXEC, this.#count) : fd)
    } catch (error) {
      for (const fd of new Set([...ends, ...above])) system.close(fd)
      throw error
    }
    for (const fd of ends) if (!above.includes(fd)) system.close(fd)
    return { read: above[0]!, write: above[1]! }
  }

  /** Adds what the child does: close what is not its own, then put each descriptor into its place. `kept` stay besides. */
  addActions(actions: ChildAction[], kept: readonly number[]): void {
    const sources = this.#sources
    const count = this.#count
    const given: number[] = []
    for (const source of sources) if (source !== null && !given.includes(source)) given.push(source)
    const keep = [...kept, ...given]
    actions.push({ op: 'closeAllExcept', fds: keep })

    // A source among the targets might be overwritten before its turn: it is lifted above them first.
    let lifted: Map<number, number> | undefined
    let free = count
    for (let target = 0; target < count; target++) {
      const source = sources[target]!
      if (source === null || source === target || source >= count || lifted?.has(source)) continue
      while (keep.includes(free)) free++
      lifted ??= new Map()
      lifted.set(source, free)
      actions.push({ op: 'dup2', fd: source, target: free++ })
    }
    for (let target = 0; target < count; target++) {
      const source = sources[target]!
      if (source === null) actions.push({ op: 'open', path: '/dev/null', flags: O_RDWR, target })
      else actions.push({ op: 'dup2', fd: lifted?.get(source) ?? source, target })
    }
    if (lifted !== undefined) for (const fd of lifted.values()) actions.push({ op: 'close', fd })
    // The sources themselves: each has its copy in place now.
    for (const fd of given) if (fd >= count) actions.push({ op: 'close', fd })
  }

  /** Closes the child's ends here, once the child has them. */
  closeChildEnds(): void {
    for (const owned of this.#childEnds) owned.close()
  }

  /** Closes everything, of a launch that failed. */
  destroy(): void {
    this.closeChildEnds()
    for (const stream of this.streams) stream?.destroy()
  }
}

function setBlocking(system: System, fd: number): void {
  const flags = system.fcntl(fd, F_GETFL)
  if ((flags & O_NONBLOCK) !== 0) system.fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)
}
