/** Pseudo-terminals, pty(7): a master stream here, and a slave for programs. */

import type { Duplex } from 'node:stream'
import { openSystem } from '../../open-system.ts'
import { checkOptions } from '../../system/arguments.ts'
import { checkSystem } from '../../system/check-system.ts'
import { isErrno } from '../../system/errors.ts'
import { here, requireHere } from '../../system/made-here.ts'
import { privateCallsOf } from '../../system/private-calls.ts'
import type { System, WindowSize } from '../../system/system.ts'
import { takeEveryStep, undoEveryStep } from '../base/every-step.ts'
import { OwnedFd, toBeOwned } from '../base/owned-fd.ts'
import { goOnAfterThrows } from '../base/user-callbacks.ts'
import { type Done, FdPort } from './fd-port.ts'
import type { StreamDescriptor } from './streams.ts'

/** Options of {@link openPty}. */
export interface PtyOptions {
  /** The lines of the window, 0 to 65535; 24 by default. */
  readonly rows?: number | undefined
  /** The characters of a line, 0 to 65535; 80 by default. */
  readonly columns?: number | undefined
  /** Where it is opened; openSystem() by default. */
  readonly system?: System | undefined
}

let newPty: (system: System, size: WindowSize) => Pty
let newSlave: (system: System, owned: OwnedFd) => PtySlave
/** Whether a slave's descriptor belongs to this System. */
export let isSlaveOf: (slave: PtySlave, system: System) => boolean

/**
 * Opens a pseudo-terminal, `openpty(3)`. Both descriptors are close-on-exec.
 *
 * @throws SystemError ENOENT, ENOSPC: no devpts here, or no terminal left in it. EMFILE: no descriptors left.
 * @throws RangeError ERR_OUT_OF_RANGE for a size beyond 16 bits.
 *
 * @example
 * const { master, slave } = openPty({ rows: 24, columns: 80 })
 * const shell = await launch('bash', { trace: false, stdio: [slave, slave, slave], controllingTerminal: slave })
 * master.pipe(process.stdout)
 * master.write('echo $((6 * 7)); exit\r')
 */
export function openPty(options: PtyOptions = {}): Pty {
  const known = ['rows', 'columns', 'system'] as const
  const { rows = 24, columns = 80, system = openSystem() } = checkOptions(options, 'options', known)
  // System.openpty() checks the size.
  return newPty(checkSystem(system, 'options.system'), { rows, columns } as WindowSize)
}

/** A pseudo-terminal: what its user sees and types, and what its programs are given. */
export class Pty implements Disposable {
  /** Reads what the programs print, and writes what is typed. */
  readonly master: PtyMaster
  /** An entry of `stdio`, and the `controllingTerminal`, of a launch. */
  readonly slave: PtySlave

  static {
    newPty = (system, size) => new Pty(system, size, here)
  }

  private constructor(system: System, size: WindowSize, key: unknown) {
    requireHere(key, 'Pty', 'openPty()')
    const [masterFd, slaveFd] = toBeOwned(system, () => system.openpty(size))
    const master = new OwnedFd(system, masterFd, 'master of a terminal')
    const slave = new OwnedFd(system, slaveFd, 'slave of a terminal')
    this.slave = newSlave(system, slave)
    try {
      this.master = newMaster(system, master)
    } catch (error) {
      undoEveryStep([() => master.close(), () => slave.close()])
      throw error
    }
  }

  /** Closes both sides; idempotent. The programs of the terminal get SIGHUP. */
  close(): void {
    takeEveryStep([() => this.slave.close(), () => this.master.destroy()])
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

/**
 * The programs' side of a terminal.
 *
 * A successful launch that gets it as an entry of `stdio` closes it here. From then on only the programs keep the
 * terminal open, and the master ends with the last of them. For several launches on one terminal, give each of them
 * its `fd`, and close() it afterwards.
 */
export class PtySlave implements Disposable {
  readonly #system: System
  readonly #owned: OwnedFd

  static {
    newSlave = (system, owned) => new PtySlave(system, owned)
    isSlaveOf = (slave, system) => slave.#system === system
  }

  private constructor(system: System, owned: OwnedFd) {
    this.#system = system
    this.#owned = owned
  }

  /** The descriptor; -1 once closed. */
  get fd(): number {
    return this.#owned.fd
  }

  /** Closes it here; idempotent. */
  close(): void {
    this.#owned.close()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

/**
 * The user's side of a terminal. It ends once no program has the terminal open any more, after all of their output.
 *
 * What is typed after that is dropped, as by any terminal that was hung up. Its end or destruction closes it.
 */
export interface PtyMaster extends Duplex, StreamDescriptor {
  /** The terminal's foreground process group, `tcgetpgrp(3)`; null if it has none, and once closed. */
  readonly foregroundGroup: number | null
  /**
   * Sets the size of the window, `ioctl(TIOCSWINSZ)`. The foreground group gets SIGWINCH if the size has changed. Does
   * nothing once closed: a window may outlive its programs.
   *
   * @throws RangeError ERR_OUT_OF_RANGE for a size beyond 16 bits.
   */
  resize(size: WindowSize): void
  resize(rows: number, columns: number): void
}

type PtyMasterClass = new (system: System, owned: OwnedFd) => PtyMaster

let definedMaster: PtyMasterClass | undefined

// Defined at first use: a launch without a terminal does not wait for node:stream to load.
function newMaster(system: System, owned: OwnedFd): PtyMaster {
  definedMaster ??= defineMaster(process.getBuiltinModule('node:stream'))
  return new definedMaster(system, owned)
}

function defineMaster({ Duplex }: typeof import('node:stream')): PtyMasterClass {
  class PtyMaster extends Duplex {
    readonly #system: System
    readonly #port: FdPort

    static {
      goOnAfterThrows(PtyMaster.prototype)
    }

    constructor(system: System, owned: OwnedFd) {
      super({ allowHalfOpen: true })
      this.#system = system
      this.#port = new FdPort(system, owned, this)
      // Before all other listeners of 'end': a throw among them would keep the terminal open.
      this.on('end', closeAtEnd)
    }

    get fd(): number {
      return this.#port.fd
    }

    get foregroundGroup(): number | null {
      const group = this.fd < 0 ? -1 : (privateCallsOf(this.#system)?.foregroundGroup?.(this.fd) ?? -1)
      return group > 0 ? group : null
    }

    resize(rows: number | WindowSize, columns?: number): void {
      const size = typeof rows === 'object' ? rows : ({ rows, columns } as WindowSize)
      if (this.fd >= 0) this.#system.setWindowSize(this.fd, size)
    }

    ref(): this {
      this.#port.keepsAlive = true
      return this
    }

    unref(): this {
      this.#port.keepsAlive = false
      return this
    }

    override _read(): void {
      this.#port.startReading()
    }

    override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
      // EIO: the terminal is hung up. An error would destroy the stream, and with it the output that is still unread.
      this.#port.write(chunk, error => done(isErrno(error, 'EIO') ? null : error))
    }

    override _destroy(error: Error | null, done: Done): void {
      this.#port.close(error, done)
    }
  }
  return PtyMaster
}

function closeAtEnd(this: Duplex): void {
  this.destroy()
}
