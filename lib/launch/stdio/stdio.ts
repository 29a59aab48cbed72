/** The child's descriptors: its pipes, and the child's actions that place every descriptor. */

import type { ChildAction } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { firstOwn, openAbove } from '../base/above-standard.ts'
import { takeEveryStep, undoEveryStep } from '../base/every-step.ts'
import { OwnedFd, toBeOwned } from '../base/owned-fd.ts'
import { giveAway } from './give-away.ts'
import type { GivenEnd, Wanted } from './stdio-entries.ts'
import { type ChildDuplex, type ChildReadable, type ChildWritable, streamClasses } from './streams.ts'

const { AF_UNIX, F_GETFD, O_CLOEXEC, O_RDWR, SOCK_CLOEXEC, SOCK_STREAM } = constants

/** A stream to a child, as `stdio: 'pipe'` makes it. */
export type ChildStream = ChildReadable | ChildWritable | ChildDuplex

/** A stream for each of the child's descriptors that is a pipe, else null. Empty for a process not launched here. */
export type ChildStreams = readonly [
  stdin?: ChildWritable | null,
  stdout?: ChildReadable | null,
  stderr?: ChildReadable | null,
  ...others: (ChildDuplex | null)[],
]

/** The descriptors of one launch, on both sides. */
export class Stdio {
  /** The parent's ends. */
  readonly streams: ChildStreams
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
    // openPipe() gives each descriptor its kind of stream.
    this.streams = streams as unknown as ChildStreams
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
    if (this.#childEnds.length > 0) takeEveryStep(this.#childEnds.map(owned => () => owned.close()))
  }

  /** Closes the ends that the program was given: now only the program's own end keeps a Channel or terminal open. */
  closeGiven(): void {
    if (this.#given.length > 0) takeEveryStep(this.#given.map(end => () => end.close()))
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
  const { ChildDuplex, ChildReadable, ChildWritable } = streamClasses()
  if (twoWay) return { childEnd: writeEnd, stream: new ChildDuplex(system, readEnd) }
  if (target === 0) return { childEnd: readEnd, stream: new ChildWritable(system, writeEnd) }
  return { childEnd: writeEnd, stream: new ChildReadable(system, readEnd) }
}

/**
 * Destroys a stream that has no user any more. If other code has closed the descriptor, the error must not end the
 * process.
 */
export function discard(stream: ChildStream | null | undefined): void {
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
