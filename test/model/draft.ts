/**
 * A program being generated, with the expected content of its slots. The expectation may be wrong; the operation then
 * fails alike in both worlds.
 */

import { constants } from '../../lib/system/constants.ts'
import type { Fd, Operation, Slot } from './operations.ts'
import type { Dice } from './random.ts'

/** The kind of a descriptor's file. */
export type FdKind = 'reader' | 'writer' | 'stream' | 'dgram' | 'seqpacket' | 'epoll'

interface Held {
  readonly slot: Slot
  readonly kind: FdKind
  /** A socket's pair number, or 0 if it is not known. */
  readonly rank: number
}

/** Limit on descriptors in half of the programs, so that each gets more operations. */
const mostDescriptors = [6, 20] as const
const mostChildren = 3

const sockets: ReadonlySet<FdKind> = new Set(['stream', 'dgram', 'seqpacket'])

const kindOfType: ReadonlyMap<number, FdKind> = new Map([
  [constants.SOCK_STREAM, 'stream'],
  [constants.SOCK_DGRAM, 'dgram'],
  [constants.SOCK_RAW, 'dgram'],
  [constants.SOCK_SEQPACKET, 'seqpacket'],
])

export class Draft {
  readonly dice: Dice
  readonly operations: Operation[] = []
  readonly #most: number
  readonly #held: Held[] = []
  readonly #closed: Slot[] = []
  readonly #children: Slot[] = []
  readonly #waited: Slot[] = []
  /** Slots of descriptors on which calls block. */
  readonly #blocking = new Set<Slot>()
  /** Pipes that no child reads from yet. */
  readonly #gates: Slot[] = []
  /** Descriptors in flight in messages, the oldest first. */
  readonly #inFlight: FdKind[] = []
  readonly #registrations: { epoll: Fd; fd: Fd }[] = []
  #slots = 0
  #pairs = 0
  #childSlots = 0

  constructor(dice: Dice) {
    this.dice = dice
    this.#most = dice.of(mostDescriptors)
  }

  /** A name for a new descriptor. */
  newSlot(): Slot {
    return `f${this.#slots++}`
  }

  newChildSlot(): Slot {
    return `c${this.#childSlots++}`
  }

  get isCrowded(): boolean {
    return this.#held.length >= this.#most
  }

  get mayFork(): boolean {
    return this.#children.length < mostChildren
  }

  get hasChildren(): boolean {
    return this.#children.length > 0
  }

  has(...kinds: readonly FdKind[]): boolean {
    return this.#held.some(({ kind }) => kinds.includes(kind))
  }

  kindOf(fd: Fd): FdKind | undefined {
    return this.#held.find(({ slot }) => slot === fd)?.kind
  }

  /** A descriptor of one of these kinds, or of any if there is none; occasionally a wrong or closed one. */
  fd(...kinds: readonly FdKind[]): Fd {
    const { dice } = this
    if (dice.oneIn(60)) return dice.oneIn(3) ? -1 : this.stale()
    const evenBlocking = dice.oneIn(12)
    const fits = ({ slot, kind }: Held) => kinds.includes(kind) && (evenBlocking || !this.#blocking.has(slot))
    const fitting = dice.oneIn(40) ? [] : this.#held.filter(fits)
    if (fitting.length > 0) return dice.of(fitting).slot
    return this.#held.length > 0 ? dice.of(this.#held).slot : -1
  }

  anyFd(): Fd {
    return this.#held.length > 0 ? this.dice.of(this.#held).slot : -1
  }

  /** A blocking descriptor of one of these kinds, for a child to wait on. */
  blockingFd(...kinds: readonly FdKind[]): Fd | undefined {
    const fitting = this.#held.filter(({ slot, kind }) => kinds.includes(kind) && this.#blocking.has(slot))
    return fitting.length > 0 ? this.dice.of(fitting).slot : undefined
  }

  /** A descriptor that may be passed over this socket: sockets only over older pairs, see mightMakeCycle. */
  passable(carrier: Fd): Fd {
    const outer = this.#held.find(({ slot }) => slot === carrier)?.rank ?? 0
    const fitting = this.#held.filter(({ kind, rank }) => !sockets.has(kind) || (outer > 0 && rank > outer))
    return fitting.length > 0 ? this.dice.of(fitting).slot : this.stale()
  }

  /** An epoll and a descriptor that it is expected to watch. */
  registration(): { readonly epoll: Fd; readonly fd: Fd } | undefined {
    return this.#registrations.length > 0 ? this.dice.of(this.#registrations) : undefined
  }

  stale(): Fd {
    return this.#closed.length > 0 ? this.dice.of(this.#closed) : 99_999
  }

  child(): Slot | number {
    const { dice } = this
    if (this.#children.length > 0 && !dice.oneIn(30))
      return dice.oneIn(2) ? this.#children.at(-1)! : dice.of(this.#children)
    return this.#waited.length > 0 ? dice.of(this.#waited) : -0x80000000
  }

  /**
   * A pipe for a single child to wait at. Several children woken by one pipe would race in what they do next, which is
   * not comparable.
   */
  takeGate(): Slot | undefined {
    return this.#gates.pop()
  }

  /** Adds an operation to the program. */
  add(operation: Operation): void {
    this.operations.push(operation)
    switch (operation.op) {
      case 'pipe2':
        this.#hold(operation.to[0]!, 'reader')
        this.#gates.push(operation.to[0]!)
        this.#hold(operation.to[1]!, 'writer')
        if (!(operation.flags & constants.O_NONBLOCK)) for (const slot of operation.to) this.#blocking.add(slot)
        return
      case 'socketpair': {
        const kind = kindOfType.get(operation.type & 0xf)
        this.#pairs++
        if (kind !== undefined) for (const slot of operation.to) this.#hold(slot, kind, this.#pairs)
        if (!(operation.type & constants.SOCK_NONBLOCK)) for (const slot of operation.to) this.#blocking.add(slot)
        return
      }
      case 'epollCreate1':
        this.#hold(operation.to[0]!, 'epoll')
        return
      case 'dup':
      case 'fcntl': {
        if (operation.op === 'fcntl' && operation.command === 'F_SETFL') this.#blocking.delete(String(operation.fd))
        const slot = operation.to?.[0]
        const kind = this.kindOf(operation.fd)
        if (slot !== undefined && kind !== undefined) this.#hold(slot, kind, this.#rankOf(operation.fd))
        return
      }
      case 'dup3': {
        const kind = this.kindOf(operation.fd)
        if (kind === undefined) return
        this.#drop(operation.target)
        this.#hold(operation.to[0]!, kind, this.#rankOf(operation.fd))
        return
      }
      case 'close':
        this.#drop(operation.fd)
        return
      case 'sendmsg':
        for (const fd of operation.fds) this.#inFlight.push(this.kindOf(fd) ?? 'reader')
        return
      case 'recvmsg':
        for (const slot of operation.to) {
          const kind = this.#inFlight.shift()
          if (kind !== undefined) this.#hold(slot, kind)
        }
        return
      case 'epollCtl':
        if (operation.control === 'EPOLL_CTL_ADD')
          this.#registrations.push({ epoll: operation.epoll, fd: operation.fd })
        return
      case 'fork':
        this.#children.push(operation.child)
        return
      case 'waitpid':
        this.#waitedFor(operation.child)
    }
  }

  #rankOf(fd: Fd): number {
    return this.#held.find(({ slot }) => slot === fd)?.rank ?? 0
  }

  #hold(slot: Slot, kind: FdKind, rank = 0): void {
    this.#held.push({ slot, kind, rank })
  }

  #drop(fd: Fd): void {
    const index = this.#held.findIndex(({ slot }) => slot === fd)
    if (index < 0) return
    const { slot } = this.#held[index]!
    this.#closed.push(slot)
    this.#held.splice(index, 1)
    // The next pipe may get its number: a child waiting there would not be the only one.
    const gate = this.#gates.indexOf(slot)
    if (gate >= 0) this.#gates.splice(gate, 1)
    if (this.#closed.length > 4) this.#closed.shift()
  }

  /** Whether a wait reaped the child is not known here: some waits, at random, are assumed to. */
  #waitedFor(child: Slot | number): void {
    if (typeof child !== 'string' || !this.dice.oneIn(6)) return
    const index = this.#children.indexOf(child)
    if (index < 0) return
    this.#children.splice(index, 1)
    this.#waited.push(child)
  }
}
