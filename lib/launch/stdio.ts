/** The child's descriptors: the check of `stdio`, its pipes, and the child's actions that place every descriptor. */

import type { Readable, Writable } from 'node:stream'
import { invalidValue, outOfRange } from '../system/arguments.ts'
import type { ChildAction } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import { isErrno, SystemError } from '../system/errors.ts'
import type { System } from '../system/system.ts'
import { firstOwn, openAbove } from './above-standard.ts'
import { Channel, isChannelOf } from './channel.ts'
import { takeEveryStep, undoEveryStep } from './every-step.ts'
import { giveAway } from './give-away.ts'
import { InheritedFds } from './inherited-fds.ts'
import { OwnedFd, toBeOwned } from './owned-fd.ts'
import { isSlaveOf, PtySlave } from './pty.ts'
import { ChildDuplex, ChildReadable, ChildWritable } from './streams.ts'

const { AF_UNIX, F_GETFD, O_CLOEXEC, O_RDWR, SOCK_CLOEXEC, SOCK_STREAM } = constants

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

/** An end of the library's own that a successful launch closes here: the program alone has it then. */
interface GivenEnd {
  belongsTo(system: System): boolean
  close(): void
}

/** What one descriptor of the child is to be, checked. */
export type Wanted =
  | { readonly kind: 'pipe' | 'ignore' | 'closed' }
  | { readonly kind: 'fd'; readonly fd: number; readonly stream?: object; readonly given?: GivenEnd }

/** A descriptor of this process that the child keeps at the same number, above those of the list. */
export interface Kept {
  readonly kind: 'kept'
  readonly fd: number
}

/** A stream to a child, as `stdio: 'pipe'` makes it. */
export type ChildStream = ChildReadable | ChildWritable | ChildDuplex

/** The kernel's default limit of descriptors per process (fs.nr_open). */
const mostDescriptors = 1 << 20

const uniformStdio: ReadonlyMap<string, readonly Wanted[]> = new Map(
  ['pipe', 'inherit', 'ignore'].map(word => [word, [0, 1, 2].map(fd => checkEntry(word, fd))]),
)

/** Reads `stdio` as child_process does; gives an entry for each descriptor of the child, at least three. */
export function checkStdio(value: unknown, name = 'options.stdio'): readonly (Wanted | Kept)[] {
  const uniform = typeof value === 'string' ? uniformStdio.get(value) : undefined
  if (uniform !== undefined) return uniform
  if (value instanceof InheritedFds) {
    const { fds, closed, placed } = value
    const count = Math.max(2, ...placed.keys()) + 1
    const isInherited = (fd: number) => (fd < 3 ? !closed.includes(fd) : fds.includes(fd))
    const list = Array.from({ length: count }, (_, target): Wanted => {
      const fd = placed.get(target) ?? (isInherited(target) ? target : undefined)
      return fd === undefined ? { kind: 'closed' } : { kind: 'fd', fd }
    })
    return [...list, ...fds.filter(fd => fd >= count).map(fd => ({ kind: 'kept', fd }) as const)]
  }
  if (!Array.isArray(value)) throw invalidValue(name, "must be 'pipe', 'inherit', 'ignore' or a list", value)
  const { length } = value
  if (length > mostDescriptors) throw outOfRange(`${name}.length`, `at most ${mostDescriptors}`, length)
  return Array.from({ length: Math.max(3, length) }, (_, fd) => checkEntry(value[fd], fd))
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
export function requireEndsOf(system: System, wanted: readonly (Wanted | Kept)[]): void {
  for (const [target, entry] of wanted.entries()) {
    if (entry.kind !== 'fd' || entry.given?.belongsTo(system) !== false) continue
    throw invalidValue(`options.stdio[${target}]`, 'must be of the System of the launch', 'one of another')
  }
}

function fdOf(stream: object): number | undefined {
  // A file stream has `fd` itself; a net.Socket has it on its handle.
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
  // For each target: the descriptor that becomes it; null for /dev/null, undefined for a closed one.
  readonly #sources: readonly (number | null | undefined)[]
  readonly #handedOn: readonly number[]
  readonly #takeBack: readonly (() => void)[]
  readonly #given: readonly GivenEnd[]

  /** Opens the pipes. A failure closes those already open. */
  static open(system: System, wanted: readonly Wanted[]): Stdio {
    for (let target = 0; target < wanted.length; target++) {
      const entry = wanted[target]!
      if (entry.kind === 'fd' && entry.fd >= firstOwn) requireOpen(system, entry.fd, target)
    }
    const opened: OwnedFd[] = []
    const takeBack: (() => void)[] = []
    try {
      return new Stdio(system, wanted, opened, takeBack)
    } catch (error) {
      undoEveryStep([...opened.map(owned => () => owned.close()), ...takeBack])
      throw error
    }
  }

  private constructor(system: System, wanted: readonly Wanted[], opened: OwnedFd[], takeBack: (() => void)[]) {
    const childEnds: OwnedFd[] = []
    const streams: (ChildStream | null)[] = []
    const sources: (number | null | undefined)[] = []
    const handedOn: number[] = []
    const given: GivenEnd[] = []
    for (let target = 0; target < wanted.length; target++) {
      const entry = wanted[target]!
      streams[target] = null
      sources[target] = entry.kind === 'ignore' ? null : undefined
      if (entry.kind === 'fd') {
        sources[target] = entry.fd
        if (target < firstOwn) handedOn.push(target)
        if (entry.stream !== undefined) takeBack.push(giveAway(entry.stream))
        if (entry.given !== undefined) given.push(entry.given)
      } else if (entry.kind === 'pipe') {
        const { childEnd, stream } = openPipe(system, target, opened)
        childEnds.push(childEnd)
        streams[target] = stream
        sources[target] = childEnd.fd
      }
    }
    this.#count = wanted.length
    this.#sources = sources
    this.streams = streams
    this.#childEnds = childEnds
    this.#takeBack = takeBack
    this.#handedOn = handedOn
    this.#given = given
  }

  /**
   * Opens a pipe for the launch itself. Its descriptors are above all of the child's targets, where no dup2 can
   * overwrite them.
   */
  pipeAbove(system: System, flags = 0): { read: number; write: number } {
    const [read, write] = toBeOwned(system, () => openAbove(system, () => system.pipe2(O_CLOEXEC | flags), this.#count))
    return { read, write }
  }

  /**
   * Adds the child's actions: close every descriptor it does not need, then put each into its place. Descriptors in
   * `kept` stay open too.
   */
  addActions(actions: ChildAction[], kept: readonly number[]): void {
    const sources = this.#sources
    const count = this.#count
    const given: number[] = []
    for (const source of sources) if (typeof source === 'number' && !given.includes(source)) given.push(source)
    const keep = [...kept, ...given]
    actions.push({ op: 'closeAllExcept', fds: keep })

    // A dup2 may overwrite a source that is itself a target: such a source is first duplicated above all targets.
    let lifted: Map<number, number> | undefined
    let free = count
    for (let target = 0; target < count; target++) {
      const source = sources[target]
      if (typeof source !== 'number' || source === target || source >= count || lifted?.has(source)) continue
      while (keep.includes(free)) free++
      lifted ??= new Map()
      lifted.set(source, free)
      actions.push({ op: 'dup2', fd: source, target: free++ })
    }
    for (let target = 0; target < count; target++) {
      const source = sources[target]
      // closeAllExcept has closed it.
      if (source === undefined) continue
      if (source === null) actions.push({ op: 'open', path: '/dev/null', flags: O_RDWR, target })
      else actions.push({ op: 'dup2', fd: lifted?.get(source) ?? source, target })
    }
    if (lifted !== undefined) for (const fd of lifted.values()) actions.push({ op: 'close', fd })
    // Each source has its copy in place.
    for (const fd of given) if (fd >= count) actions.push({ op: 'close', fd })
  }

  /**
   * Adds the child's last actions: they make handed-on standard descriptors blocking. Few programs expect EAGAIN there.
   * This process may have made them non-blocking: Node does so with pipes, at the first use of process.stdout.
   */
  addLastActions(actions: ChildAction[]): void {
    for (const fd of this.#handedOn) actions.push({ op: 'setBlocking', fd })
  }

  /** Closes the parent's copies of the child's ends, once the child has them. */
  closeChildEnds(): void {
    takeEveryStep(this.#childEnds.map(owned => () => owned.close()))
  }

  /** Closes what was given once the program has it: its end is then a Channel's end of file, a terminal's end. */
  closeGiven(): void {
    takeEveryStep(this.#given.map(end => () => end.close()))
  }

  /** Closes everything after a failed launch. */
  destroy(): void {
    takeEveryStep([
      () => this.closeChildEnds(),
      ...this.streams.map(stream => () => discard(stream)),
      ...this.#takeBack,
    ])
  }
}

/** Opens the pipe of one descriptor of the child, a pair of sockets above the standard ones. */
function openPipe(system: System, target: number, opened: OwnedFd[]): { childEnd: OwnedFd; stream: ChildStream } {
  const twoWay = target >= firstOwn
  const [a, b] = toBeOwned(system, () =>
    openAbove(system, () =>
      twoWay ? system.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC) : system.pipe2(O_CLOEXEC),
    ),
  )
  // Only the parent's end gets a name and a leak warning: user code may forget its stream.
  const readEnd = new OwnedFd(system, a, target === 0 ? undefined : `stdio ${target}`)
  opened.push(readEnd)
  const writeEnd = new OwnedFd(system, b, target === 0 ? `stdio ${target}` : undefined)
  opened.push(writeEnd)
  if (twoWay) return { childEnd: writeEnd, stream: new ChildDuplex(system, readEnd) }
  if (target === 0) return { childEnd: readEnd, stream: new ChildWritable(system, writeEnd) }
  return { childEnd: writeEnd, stream: new ChildReadable(system, readEnd) }
}

/**
 * Destroys a stream that has no user any more. If other code has closed the descriptor, the error must not end the
 * process.
 */
export function discard(stream: ChildStream | null): void {
  stream?.on('error', () => {})
  stream?.destroy()
}

/**
 * Refuses a descriptor that is not open. Its number could soon be given to one of the launch's own files, which start
 * at `firstOwn`.
 */
function requireOpen(system: System, fd: number, target: number): void {
  if (isOpen(system, fd)) return
  const hint = `stdio[${target}] is descriptor ${fd}, which is not open`
  throw new SystemError({ errno: 'EBADF', syscall: 'dup3', step: 'dup2', hint })
}

/** Refuses a controlling terminal that is not open, for the same reason. */
export function requireTerminal(system: System, fd: number | undefined): void {
  if (fd === undefined || isOpen(system, fd)) return
  const hint = `descriptor ${fd} is not open`
  throw new SystemError({ errno: 'EBADF', syscall: 'ioctl', step: 'controllingTerminal', hint })
}

function isOpen(system: System, fd: number): boolean {
  try {
    system.fcntl(fd, F_GETFD)
    return true
  } catch (error) {
    if (!isErrno(error, 'EBADF')) throw error
    return false
  }
}
