/**
 * The conventions by which a program says that it is ready, from the launcher's side: s6's notification descriptor and
 * systemd's sd_notify(3).
 */

import { invalidValue } from '../../system/arguments.ts'
import { constants } from '../../system/constants.ts'
import { errnoOf } from '../../system/errno.ts'
import { isErrno } from '../../system/errors.ts'
import { type NotifySockets, privateCallsOf } from '../../system/private-calls.ts'
import type { System } from '../../system/system.ts'
import { openAbove } from '../base/above-standard.ts'
import { takeEveryStep, undoEveryStep } from '../base/every-step.ts'
import { OwnedFd, toBeOwned } from '../base/owned-fd.ts'

const { O_CLOEXEC, O_NONBLOCK } = constants

/** A convention by which a program says that it is ready. */
export type ReadyConvention = 'notification-fd' | 'sd_notify'

/** What a program has said in one message. */
export interface Said {
  readonly ready?: boolean
  /** A status line for people to read. */
  readonly status?: string
  /** The error that the program reports, as a negative errno. */
  readonly errno?: number
  /** Whether the program can say nothing more: its end is closed. */
  readonly over?: boolean
}

/** The launcher's end of a convention. */
export interface Notifications {
  /** The descriptor to read from; -1 once closed. */
  readonly fd: number
  /** The environment variable that names where to write. */
  readonly variable: string
  /** The variable's value, where the child's descriptor is `childNumber`. */
  value(childNumber: number): string
  /** The child's end, which the child gets as a descriptor; undefined if the variable is enough. */
  readonly childFd: number | undefined
  closeChildEnd(): void
  /** One read; undefined where there is nothing to read. */
  read(child: number): Said | undefined
  close(): void
}

// Filled and used within one synchronous read. A datagram of sd_notify has up to a page.
const buffer = new Uint8Array(4096)
const newline = 10

/** Opens the launcher's end of a convention. */
export function openNotifications(system: System, convention: ReadyConvention): Notifications {
  return convention === 'sd_notify' ? new NotifySocket(system) : new NotificationPipe(system)
}

/** Refuses a convention that the System cannot serve. */
export function requireConvention(system: System, convention: ReadyConvention): void {
  if (convention !== 'sd_notify' || privateCallsOf(system)?.notifySockets !== undefined) return
  throw invalidValue('options.ready', 'is not simulated: it needs the native System', convention)
}

/** s6: a newline on a descriptor that NOTIFICATION_FD names. Bytes before it mean nothing. */
class NotificationPipe implements Notifications {
  readonly variable = 'NOTIFICATION_FD'
  readonly #system: System
  readonly #read: OwnedFd
  readonly #write: OwnedFd

  constructor(system: System) {
    const [read, write] = toBeOwned(system, () => openAbove(system, () => system.pipe2(O_CLOEXEC | O_NONBLOCK)))
    this.#system = system
    this.#read = new OwnedFd(system, read)
    this.#write = new OwnedFd(system, write)
    try {
      // The description of the child's end is the program's own: programs expect no EAGAIN.
      system.fcntl(write, constants.F_SETFL, system.fcntl(write, constants.F_GETFL) & ~O_NONBLOCK)
    } catch (error) {
      undoEveryStep([() => this.#read.close(), () => this.#write.close()])
      throw error
    }
  }

  get fd(): number {
    return this.#read.fd
  }

  get childFd(): number {
    return this.#write.fd
  }

  value(childNumber: number): string {
    return String(childNumber)
  }

  closeChildEnd(): void {
    this.#write.close()
  }

  read(): Said | undefined {
    const bytes = attempt(() => this.#system.read(this.fd, buffer))
    if (bytes === undefined) return undefined
    return bytes === 0 ? { over: true } : { ready: buffer.subarray(0, bytes).includes(newline) }
  }

  close(): void {
    takeEveryStep([() => this.#read.close(), () => this.#write.close()])
  }
}

/** systemd: datagrams to the socket that NOTIFY_SOCKET names, of lines like READY=1. */
class NotifySocket implements Notifications {
  readonly variable = 'NOTIFY_SOCKET'
  readonly childFd = undefined
  readonly #sockets: NotifySockets
  readonly #socket: OwnedFd
  readonly #address: string

  constructor(system: System) {
    this.#sockets = privateCallsOf(system)!.notifySockets!
    const { fd, address } = toBeOwned(system, () => this.#sockets.open())
    this.#socket = new OwnedFd(system, fd)
    this.#address = address
  }

  get fd(): number {
    return this.#socket.fd
  }

  value(): string {
    return this.#address
  }

  closeChildEnd(): void {}

  read(child: number): Said | undefined {
    const datagram = attempt(() => this.#sockets.receive(this.fd, buffer))
    if (datagram === undefined) return undefined
    // Any process of the network namespace can send to an abstract name.
    if (!this.#sockets.isTrusted(datagram, child)) return {}
    return parse(new TextDecoder().decode(buffer.subarray(0, datagram.bytes)))
  }

  close(): void {
    this.#socket.close()
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isErrno(error, 'EAGAIN', 'EINTR')) return undefined
    throw error
  }
}

function parse(text: string): Said {
  const said: { ready?: boolean; status?: string; errno?: number } = {}
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    const value = line.slice(at + 1)
    const name = line.slice(0, Math.max(at, 0))
    if (name === 'READY') said.ready = value === '1'
    else if (name === 'STATUS') said.status = value
    else if (name === 'ERRNO') said.errno = -(errnoOf(value) ?? Math.abs(Number.parseInt(value, 10)))
  }
  if (Number.isNaN(said.errno)) delete said.errno
  return said
}
