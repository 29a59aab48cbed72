/** The adapter's end of `tracegate hold --report`. */

import { mkdtemp, rm } from 'node:fs/promises'
// Types only: node:net and node:os are loaded by the first open(). node:os takes as long as all of system/.
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import { packageFolder } from '../native/own-package.ts'
import {
  checkAbortSignal,
  checkList,
  checkNotNegative,
  checkOptions,
  checkString,
  checkTimeout,
  invalidValue,
  outOfRange,
} from '../system/arguments.ts'
import { ChannelClosedError, TimedOutError } from '../system/errors.ts'
import { here, requireHere } from '../system/made-here.ts'
import { parseAddress } from './address.ts'
import { type Held, type HeldParts, launchError, newHeld } from './held.ts'
import { afterLimit } from './limit.ts'
import { encodeMessage, MessageReader, readStarterMessage, type StarterMessage } from './protocol.ts'

/** Options of Rendezvous.open(). Both govern the time until a program is held, not its life. */
export interface RendezvousOptions {
  /** Milliseconds until `held` rejects with TimedOutError. Without limit when left out, negative or Infinity. */
  readonly timeoutMs?: number | undefined
  /** Its abort rejects `held`, with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** Options of Rendezvous.command(). */
export interface CommandOptions {
  /**
   * Milliseconds after which the command kills a program that was neither attached to nor released. Never when left
   * out, negative or Infinity.
   */
  readonly timeoutMs?: number | undefined
  /**
   * The process that may attach, with its descendants, where Yama restricts that; this process by default. 'any': every
   * process of the user.
   */
  readonly tracer?: number | 'any' | undefined
  /** The words that start tracegate; the package's own file by default, which needs node in the terminal's PATH. */
  readonly tracegate?: readonly string[] | undefined
}

/**
 * A meeting point for one program that another process starts, for example in a user's terminal.
 *
 * Its socket is in a folder that only its user can enter. It accepts the first command that reports there, and turns
 * every other away. close() leaves no file behind, and kills a program that is neither attached to nor released.
 *
 * @example
 * await using rendezvous = await Rendezvous.open({ timeoutMs: 30_000 })
 * runInTerminal(rendezvous.command('/usr/bin/app', ['--verbose']))
 * const held = await rendezvous.held
 * await held.attach() // a debugger may attach to held.pid now
 */
export class Rendezvous implements AsyncDisposable {
  /** Where the program is to be reported: `unix:PATH`, a value of `tracegate hold --report`. */
  readonly address: string
  /**
   * Resolves when a program is held.
   *
   * Rejects with the SystemError of a launch that failed in the terminal, with TimedOutError after `timeoutMs`, or with
   * the reason of `signal`. With ChannelClosedError when the command has gone without reporting a program, or after
   * close().
   */
  readonly held: Promise<Held>
  readonly #folder: string
  readonly #server: Server
  readonly #peers = new Set<Socket>()
  readonly #ended = new AbortController()
  #settle!: { resolve(held: Held): void; reject(error: unknown): void }
  #peer: Socket | undefined
  #parts: HeldParts | undefined
  #closed: Promise<void> | undefined
  #removed: Promise<void> | undefined

  /**
   * Opens a meeting point.
   *
   * @throws (by rejection) the reason of `signal` if it is aborted, and the error of a folder or socket that cannot be
   * made.
   */
  static async open(options: RendezvousOptions = {}): Promise<Rendezvous> {
    const { timeoutMs, signal } = checkOptions(options, 'options', ['timeoutMs', 'signal'])
    const limitMs = timeoutMs === undefined ? -1 : checkTimeout(timeoutMs, 'options.timeoutMs')
    const outer = checkAbortSignal(signal)
    outer?.throwIfAborted()
    const folder = await makeFolder()
    const server = process.getBuiltinModule('node:net').createServer()
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(socketIn(folder), resolve)
      })
      // An abort during the waits above has raised its event already.
      outer?.throwIfAborted()
    } catch (error) {
      server.close()
      // The first failure is the one to report.
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      throw error
    }
    return new Rendezvous(folder, server, limitMs, outer, here)
  }

  private constructor(folder: string, server: Server, limitMs: number, signal: AbortSignal | undefined, key: unknown) {
    requireHere(key, 'Rendezvous', 'Rendezvous.open()')
    this.address = `unix:${socketIn(folder)}`
    this.#folder = folder
    this.#server = server
    this.held = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // It need not be awaited.
    this.held.catch(() => {})
    server.on('connection', socket => this.#meet(socket))
    if (limitMs >= 0) {
      const cancel = afterLimit(limitMs, () => this.#fail(new TimedOutError('waiting for the held program', limitMs)))
      this.#ended.signal.addEventListener('abort', cancel)
    }
    signal?.addEventListener('abort', () => this.#fail(signal.reason), { signal: this.#ended.signal })
  }

  /**
   * The words to run in the user's terminal: `tracegate hold --report ADDRESS --tracer PID -- program args…`.
   *
   * @throws TypeError or RangeError for bad arguments. Error if this code is bundled and `tracegate` is left out.
   */
  command(program: string, args: readonly string[] = [], options: CommandOptions = {}): string[] {
    const known = checkOptions(options, 'options', ['timeoutMs', 'tracer', 'tracegate'])
    const { tracer = process.pid } = known
    if (tracer !== 'any' && checkNotNegative(tracer, 'options.tracer') === 0)
      throw outOfRange('options.tracer', '> 0', tracer)
    const words = ['hold', '--report', this.address, '--tracer', String(tracer)]
    if (known.timeoutMs !== undefined) {
      const limitMs = checkTimeout(known.timeoutMs, 'options.timeoutMs')
      if (limitMs >= 0) words.push('--timeout', String(Math.max(1, limitMs) / 1000))
    }
    const list = checkList(
      args,
      () => 'args',
      (arg, name) => checkString(arg, name()),
    )
    if (checkString(program, 'program') === '') throw invalidValue('program', 'must not be empty', program)
    return [...starter(known.tracegate), ...words, '--', program, ...list]
  }

  /**
   * Closes the meeting point: `held` rejects if no program came, and a program that was neither attached to nor
   * released is killed. Resolves once the socket and its folder are gone.
   */
  async close(): Promise<void> {
    this.#settle.reject(new ChannelClosedError('the rendezvous was closed'))
    for (const peer of this.#peers) peer.destroy()
    await this.#stopListening()
    // The server closes with its last connection.
    await this.#closed
  }

  /** As close(). */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #fail(error: unknown): void {
    this.#settle.reject(error)
    // A folder that cannot be removed is reported by the user's own close().
    this.close().catch(() => {})
  }

  /** Removes the socket and its folder. */
  #stopListening(): Promise<void> {
    this.#ended.abort()
    this.#closed ??= new Promise(resolve => this.#server.close(() => resolve()))
    this.#removed ??= rm(this.#folder, { recursive: true, force: true })
    return this.#removed
  }

  #meet(socket: Socket): void {
    if (this.#peer !== undefined) return void socket.destroy()
    this.#peers.add(socket)
    const reader = new MessageReader(readStarterMessage)
    let hasBeenUnderstood = true
    socket.on('data', bytes => {
      try {
        for (const message of reader.push(bytes)) this.#hear(socket, message)
      } catch {
        // Not a tracegate command. A program that it may hold is not known here, and is killed with its connection.
        hasBeenUnderstood = false
        socket.destroy()
      }
    })
    // A reset closes the socket as an end does.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#peers.delete(socket)
      const isLast = this.#peer === undefined && this.#peers.size === 0 && hasBeenUnderstood
      if (socket === this.#peer && this.#parts !== undefined) this.#parts.gone()
      // The peer may have sent 'exited' alone, for a program that was killed on its way to its exec.
      else if (socket === this.#peer || isLast) {
        this.#fail(new ChannelClosedError('the command has gone without reporting a program'))
      }
    })
  }

  #hear(socket: Socket, message: StarterMessage): void {
    if (this.#peer === undefined) this.#take(socket)
    if (socket !== this.#peer) return
    if (message.kind === 'held' && this.#parts === undefined) {
      this.#parts = newHeld(message, answer => {
        if (socket.writable) socket.write(encodeMessage(answer))
      })
      this.#settle.resolve(this.#parts.held)
    }
    if (message.kind === 'attachable') this.#parts?.attachable()
    if (message.kind === 'exited') this.#parts?.exited(message)
    if (message.kind === 'error') this.#settle.reject(launchError(message))
  }

  /** Accepts the peer, and turns every other away. */
  #take(socket: Socket): void {
    this.#peer = socket
    for (const other of this.#peers) if (other !== socket) other.destroy()
    this.#stopListening().catch(() => {})
  }
}

/** Makes a folder of mode 0700. In a temporary folder with a long path, the socket's path would be too long. */
async function makeFolder(): Promise<string> {
  const { tmpdir } = process.getBuiltinModule('node:os')
  const prefixes = [join(tmpdir(), 'tracegate-'), '/tmp/tracegate-']
  const fits = (prefix: string) => typeof parseAddress(`unix:${socketIn(`${prefix}XXXXXX`)}`) !== 'string'
  return await mkdtemp(prefixes.find(fits) ?? prefixes[0]!)
}

function socketIn(folder: string): string {
  return join(folder, 'socket')
}

/** The words that start the command. */
function starter(given: unknown): string[] {
  if (given !== undefined) {
    const words = checkList(
      given,
      () => 'options.tracegate',
      (word, name) => checkString(word, name()),
    )
    if (words.length === 0) throw invalidValue('options.tracegate', 'must not be empty', given)
    return words
  }
  const folder = packageFolder()
  if (folder === undefined) {
    throw new Error('this code is bundled, away from the tracegate command: name it with options.tracegate')
  }
  return [join(folder, 'bin/tracegate.js')]
}
