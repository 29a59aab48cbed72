/** The tool's line: what stands in it for the program, and how the tool says that the program may go. */

import type { Child } from '../../launch/child.ts'
import { launch } from '../../launch/launch.ts'
import { constants } from '../../system/constants.ts'
import { isErrno } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { asStarted, freeFds } from '../inherited.ts'
import { report } from '../output.ts'
import { Attachment, lookBefore } from './attachment.ts'
import type { Release } from './known-tools.ts'

const { F_SETFL, O_CLOEXEC, O_NONBLOCK, POLLIN } = constants

/** How often /proc is looked at, while it is open whether the tool has attached. */
const lookMs = 10
/** Time for a tool that cannot be seen to attach, before a line says so. */
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

  /** perf takes a control pipe that ends before it for an error: they are closed here, after the tool's end. */
  [Symbol.dispose](): void {
    this.#pipes.close()
  }

  /** Whether it has attached to a program that is still held. */
  get hasAttached(): boolean {
    return this.#attachment.wasSeen || this.#attachment.wasTraced
  }

  /** Resolves true when the program may go by its rule, false when the tool has ended before. */
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

  /** Looks until the tool has attached. Without `counts` that is only noted. */
  #watch(counts: boolean, signal: AbortSignal): Promise<boolean> {
    const begun = performance.now()
    let isTold = !counts
    return new Promise(resolve => {
      const timer = setInterval(() => {
        if (this.#attachment.look() && counts) resolve(true)
        if (this.#attachment.wasSeen && !counts) clearInterval(timer)
        if (isTold || !this.#attachment.isBlind || performance.now() - begun < blindMs) return
        isTold = true
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
  /** The tool's ends, by the number that the tool gets each at. */
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

  /** Opens a pipe that the tool writes at a number; our end. */
  fromTool(target: number): number {
    const [ours, theirs] = this.#system.pipe2(O_CLOEXEC)
    this.#own.add(ours)
    this.ofTool.set(target, theirs)
    // Ours alone: the tool's end blocks, as tools expect.
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

/** What a tool says over a pipe. */
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

  /** Takes what has come; whether it was said by now. */
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
