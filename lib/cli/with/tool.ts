/** The tool: starts its line, and finds out when the program may run. */

import type { Child } from '../../launch/handles/child.ts'
import { launch } from '../../launch/launch.ts'
import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { asStarted, freeFds } from '../inherited.ts'
import { report } from '../output.ts'
import { Attachment, lookBefore } from './attachment.ts'
import type { Release } from './known-tools.ts'

const { F_SETFL, O_CLOEXEC, O_NONBLOCK, POLLIN } = constants

/** The interval of looks into /proc until the tool has attached. */
const lookMs = 10
/** The time after which a message says that the tool cannot be seen to attach. */
const blindMs = 2000

const blindLine =
  "tracegate: the tool has other privileges, so whether it has attached cannot be seen: perf's --control {control}, or --release fd, can say so\n"

export class Tool implements Disposable {
  readonly child: Child
  readonly #attachment: Attachment
  readonly #pipes: Pipes
  readonly #word: Word | undefined

  private constructor(child: Child, attachment: Attachment, pipes: Pipes, word: Word | undefined) {
    this.child = child
    this.#attachment = attachment
    this.#pipes = pipes
    this.#word = word
  }

  /** Runs a line by /bin/sh. `{pid}` in it is the program's, `{control}` the two pipes of perf's --control. */
  static async start(system: System, line: string, pid: number, release: Release): Promise<Tool> {
    const pipes = new Pipes(system)
    try {
      const env: NodeJS.ProcessEnv = { ...process.env }
      let text = line.replaceAll('{pid}', String(pid))
      let word: Word | undefined
      if (text.includes('{control}')) {
        const [commands, answers] = [pipes.named(), pipes.named()]
        text = text.replaceAll(/(fd:|fifo:)?\{control\}/g, `fifo:${commands.path},${answers.path}`)
        // perf answers once its events are enabled. The pipe has room for the question before perf reads.
        system.write(commands.writeFd, new TextEncoder().encode('ping\n'))
        if (release === 'attached') word = new Word(system, answers.readFd, 'ack')
      } else if (release === 'fd') {
        const [fd] = freeFds(1) as [number]
        word = new Word(system, pipes.fromTool(fd), '\n')
        env.TRACEGATE_RELEASE_FD = String(fd)
      }
      const before = lookBefore(pid)
      const options = { system, ...asStarted({ placed: pipes.ofTool }), env, trace: false } as const
      const child = await launch('/bin/sh', ['-c', text], options)
      pipes.closeOfTool()
      return new Tool(child, new Attachment(pid, child.pid, before), pipes, word)
    } catch (error) {
      pipes.close()
      throw error
    }
  }

  /** Closes the pipes, after the tool's end: to perf, a control pipe that ends before perf does is an error. */
  [Symbol.dispose](): void {
    this.#pipes.close()
  }

  /** Whether it has attached to a program that is still held. */
  get hasAttached(): boolean {
    return this.#attachment.wasSeen || this.#attachment.wasTraced
  }

  /** Resolves true when `release` lets the program run, false if the tool ends before. */
  async isReady(release: Release): Promise<boolean> {
    const over = new AbortController()
    const never = new Promise<boolean>(() => {})
    // A tool may say its word and end at once.
    const ended = this.child.exited.then(
      ({ code }) => (release === 'tool-exit' && code === 0) || this.#word?.look() === true,
    )
    const waiting = this.#word?.wait(over.signal)
    const said = waiting?.then(isSaid => isSaid || never)
    const attached = this.#watch(release === 'attached' && said === undefined, over.signal)
    try {
      return await Promise.race([ended, said ?? never, attached])
    } finally {
      over.abort()
      await waiting?.catch(() => {})
    }
  }

  /** Looks until the tool has attached. If that `counts`, resolves then; otherwise only the attachment notes it. */
  #watch(counts: boolean, signal: AbortSignal): Promise<boolean> {
    const begun = performance.now()
    let hasReported = !counts
    return new Promise(resolve => {
      const timer = setInterval(() => {
        if (this.#attachment.look() && counts) resolve(true)
        if (this.#attachment.wasSeen && !counts) clearInterval(timer)
        if (hasReported || !this.#attachment.isBlind || performance.now() - begun < blindMs) return
        hasReported = true
        report(blindLine)
      }, lookMs)
      signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    })
  }
}

/** Pipes between this process and the tool. */
class Pipes {
  readonly #system: System
  readonly #own = new Set<number>()
  /** The tool's ends, by their numbers in the tool. */
  readonly ofTool = new Map<number, number>()

  constructor(system: System) {
    this.#system = system
  }

  /** Opens a pipe that the tool opens by a path: sudo closes descriptors. Both ends stay open here. */
  named(): { readonly path: string; readonly readFd: number; readonly writeFd: number } {
    const [readFd, writeFd] = this.#system.pipe2(O_CLOEXEC | O_NONBLOCK)
    this.#own.add(readFd).add(writeFd)
    return { path: `/proc/${process.pid}/fd/${readFd}`, readFd, writeFd }
  }

  /** Opens a pipe that the tool writes to at the number `target`; returns our end. */
  fromTool(target: number): number {
    const [ours, theirs] = this.#system.pipe2(O_CLOEXEC)
    this.#own.add(ours)
    this.ofTool.set(target, theirs)
    // Only our end is non-blocking: tools expect theirs to block.
    this.#system.fcntl(ours, F_SETFL, O_NONBLOCK)
    return ours
  }

  closeOfTool(): void {
    for (const fd of this.ofTool.values()) this.#system.close(fd)
    this.ofTool.clear()
  }

  close(): void {
    this.closeOfTool()
    for (const fd of this.#own) this.#system.close(fd)
    this.#own.clear()
  }
}

/** Waits for one word from the tool over a pipe. */
class Word {
  readonly #system: System
  readonly #fd: number
  readonly #wanted: string
  #text = ''

  constructor(system: System, fd: number, wanted: string) {
    this.#system = system
    this.#fd = fd
    this.#wanted = wanted
  }

  /** Reads what has come; whether the word was among it, or has come before. */
  look(): boolean {
    const bytes = new Uint8Array(256)
    try {
      const count = this.#system.read(this.#fd, bytes)
      this.#text += Buffer.from(bytes.subarray(0, count)).toString('latin1')
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
    }
    return this.#text.includes(this.#wanted)
  }

  /** Resolves true once it is said; false at the end of file. */
  async wait(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const revents = await this.#system.ready(this.#fd, POLLIN, { signal })
      if (this.look()) return true
      if ((revents & POLLIN) === 0) return false
    }
  }
}
