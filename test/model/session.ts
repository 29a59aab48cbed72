/** A program running in one world: the number of each slot, and the open descriptors. */

import { constants } from '../../lib/system/constants.ts'
import type { Observation } from './compare.ts'
import type { ConstantName, Fd, Slot } from './operations.ts'
import type { ChildState, World } from './world.ts'

/** A slot was never filled, as happens in a shrunk program: its operation is passed over. */
export class EmptySlot extends Error {}

/** The most bytes a call reads or writes. */
const mostBytes = 1 << 20
/** Length of the pattern that written bytes are taken from, so that bytes of different writes differ. */
const patternStarts = 1 << 16

const pattern = new Uint8Array(mostBytes + patternStarts)
// xorshift32: bytes without a short period, so that misplaced ones are detected.
for (let i = 0, state = 0x9e3779b9; i < pattern.length; i++) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  pattern[i] = state >>> 24
}

/** The slots of one program in one world. */
export class Session {
  readonly world: World
  readonly open = new Set<number>()
  /** Children not reaped yet: number and slot, oldest first. */
  readonly children = new Map<number, Slot>()
  readonly #fds = new Map<Slot, number>()
  readonly #pids = new Map<Slot, number>()
  readonly #names = new Map<number, Slot>()
  readonly #processes = new Map<number, number>()
  readonly #births = new Map<number, number>()
  /** Rank of each socket: the number of its pair in the order of creation. Unknown for received sockets. */
  readonly ranks = new Map<number, number>()
  /** Descriptors that some child may have open too. */
  readonly #shared = new Set<number>()
  /** A child is at work that no other may compete with. */
  #alone = false
  readonly buffer = new Uint8Array(mostBytes)
  #written = 0
  #ranks = 0

  constructor(world: World) {
    this.world = world
  }

  /** The number of a descriptor. */
  fd(name: Fd): number {
    if (typeof name === 'number') return name
    if (name.startsWith('+')) return this.world.firstFd + Number(name.slice(1))
    const fd = this.#fds.get(name)
    if (fd === undefined) throw new EmptySlot(name)
    return fd
  }

  /** Assigns slots to the descriptors that a call returned; any without a slot are recorded as open. */
  fill(slots: readonly Slot[] | undefined, fds: readonly number[], rank?: number, original?: number): void {
    const shared = original !== undefined && this.#shared.has(original)
    for (const [i, fd] of fds.entries()) {
      this.open.add(fd)
      if (shared) this.#shared.add(fd)
      else this.#shared.delete(fd)
      if (rank === undefined) this.ranks.delete(fd)
      else this.ranks.set(fd, rank)
      const slot = slots?.[i]
      if (slot !== undefined) this.#fds.set(slot, fd)
    }
  }

  newRank(): number {
    return ++this.#ranks
  }

  /** The number of a child. */
  pid(name: Slot | number): number {
    if (typeof name === 'number') return name
    const pid = this.#pids.get(name)
    if (pid === undefined) throw new EmptySlot(name)
    return pid
  }

  /** Some child runs a script, in threads and in children of its own. */
  hasThreads = false

  /** Names a task that a tracee has created after its creator: 'c0.1' is the second that was seen of c0. */
  born(creator: number, tid: number, isThread: boolean): void {
    const name = this.#names.get(creator)
    if (name === undefined || this.#names.has(tid)) return
    const count = this.#births.get(creator) ?? 0
    this.#births.set(creator, count + 1)
    this.#note(`${name}.${count}`, tid, isThread ? this.processOf(creator) : tid)
  }

  /** A wait for any has found a task that no event has announced. */
  found(tid: number): void {
    if (!this.#names.has(tid)) this.children.set(tid, 'another')
  }

  /** The process of a task. */
  processOf(tid: number): number {
    return this.#processes.get(tid) ?? tid
  }

  #note(slot: Slot, tid: number, process: number): void {
    this.#pids.set(slot, tid)
    this.#names.set(tid, slot)
    this.#processes.set(tid, process)
    this.children.set(tid, slot)
  }

  forked(slot: Slot, pid: number): void {
    this.#note(slot, pid, pid)
    for (const fd of this.open) this.#shared.add(fd)
  }

  /**
   * Whether another child may start work. Children that would all be woken at once race for what they wait on, so such
   * work (`alone`) is given to one child at a time; waiters served in a fixed order may be several.
   */
  mayWork(alone: boolean): boolean {
    if (this.children.size === 0) {
      this.#shared.clear()
      this.#alone = false
    }
    if (this.children.size > 0 && (alone || this.#alone)) return false
    this.#alone ||= alone
    return true
  }

  /** Whether a live child may be affected by a change of this descriptor's flags. */
  isShared(fd: number): boolean {
    return this.children.size > 0 && this.#shared.has(fd)
  }

  /** A process in a form that both worlds share. */
  nameOf(pid: number): Observation {
    const name = pid === this.world.pid ? 'host' : this.#names.get(pid)
    // Of a task that no event has announced the numbers differ.
    return name ?? (this.hasThreads && pid > 0 ? 'another' : pid)
  }

  /** The next bytes to write. */
  data(bytes: number): Uint8Array {
    const start = this.#written % patternStarts
    this.#written += bytes + 1
    return pattern.subarray(start, start + bytes)
  }

  settle(): void {
    // Orphans may be left of a script.
    if (this.children.size > 0 || this.hasThreads) this.world.settle([...this.children.keys()], this.hasThreads)
  }

  stateOf(pid: number): ChildState {
    return this.world.stateOf(pid)
  }
}

/** The observation of an operation that was skipped: a slot was never filled, or its outcome is not comparable. */
export const passedOver = 'passed over'

/** Whether the descriptor is a socket of this type, or of any. */
export function isSocket(session: Session, fd: number, type?: number): boolean {
  const found = outcome(() => session.world.system.getsockopt(fd, constants.SOL_SOCKET, constants.SO_TYPE))
  return type === undefined ? typeof found === 'number' : found === type
}

/** Whether a call on the descriptor returns at once. */
export function isNonBlocking(session: Session, fd: number): boolean {
  const flags = outcome(() => session.world.system.fcntl(fd, constants.F_GETFL))
  return typeof flags !== 'number' || (flags & constants.O_NONBLOCK) !== 0
}

export function isNonBlockingSocket(session: Session, fd: number): boolean {
  return isSocket(session, fd) && isNonBlocking(session, fd)
}

/** The number of a constant, or the number itself. */
export function numberOf(name: ConstantName | number): number {
  return typeof name === 'number' ? name : constants[name]
}

/** A call's result, or the code of its error; {@link passedOver} for an empty slot. */
export function outcome(call: () => Observation): Observation {
  try {
    return call()
  } catch (error) {
    if (error instanceof EmptySlot) throw error
    const { code, message } = error as { code?: unknown; message?: unknown }
    return typeof code === 'string' ? code : `threw ${String(message)}`
  }
}
