/** Holds the first process below a program that execs a program of a given name. */

import type { Tracee } from '../../launch/handles/tracee.ts'
import { launch } from '../../launch/launch.ts'
import type { LaunchOptions } from '../../launch/options/options.ts'
import { isErrno } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { HeldProgram } from '../held-program.ts'
import { type HeldForTool, heldForTool } from './held-for-tool.ts'
import { isNamed } from './program-names.ts'

/** The longest wait for the other processes to be detached: a vfork parent stops only after its child. */
const othersMs = 1000

/**
 * A program that runs, traced with all that it starts, until one of its processes execs the wanted program, or until
 * its own end. No other process is held.
 */
export class Match {
  readonly child: Tracee
  /** Resolves with the process that was found, held; with undefined at the program's end without one. */
  readonly held: Promise<HeldForTool | undefined>
  readonly #system: System
  readonly #name: string
  readonly #leaving = new Map<Tracee, Promise<void>>()
  #found: HeldProgram | undefined
  #isOver = false
  #settle!: (held: Promise<HeldForTool> | undefined) => void
  #fail!: (error: unknown) => void

  private constructor(program: Tracee, name: string, system: System) {
    this.child = program
    this.#name = name
    this.#system = system
    this.held = new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#fail = reject
    })
    this.held.catch(() => {})
    this.#watch(program)
    program.run().then(
      () => this.#ended(),
      (error: unknown) => this.#fail(error),
    )
  }

  static async start(
    name: string,
    file: string,
    args: readonly string[],
    options: Omit<LaunchOptions, 'trace' | 'system'> & { system: System },
  ): Promise<Match> {
    return new Match(await launch(file, args, { ...options, follow: 'all' }), name, options.system)
  }

  /** Resolves at the program's end, once none of its processes is traced: a tracee would end with this process. */
  async over(): Promise<void> {
    await this.child.exited
    await this.#othersAreLeft()
  }

  /** Kills the program and its traced processes. */
  async kill(): Promise<void> {
    this.#found?.tracee.kill('SIGKILL')
    this.child.kill('SIGKILL')
    await this.over()
  }

  #watch(tracee: Tracee): void {
    // The listener detaches within the event: no other code then resumes the process from this stop.
    tracee.on('stop', stop => {
      if (this.#isOver) this.#leave(tracee)
      else if (stop.event === 'exec' && isNamed(tracee, this.#name)) this.#hold(tracee)
    })
    tracee.on('follow', child => this.#watch(child))
  }

  #hold(tracee: Tracee): void {
    const held = new HeldProgram(tracee)
    this.#found = held
    const left = held.leave()
    this.#leaveAll()
    this.#settle(this.#whenLeft(held, left))
  }

  async #whenLeft(held: HeldProgram, left: Promise<boolean>): Promise<HeldForTool> {
    await left
    // The others are detached later than this if one of them waits in vfork(2).
    const timer = new AbortController()
    const late = this.#system.sleep(othersMs, { signal: timer.signal }).catch(() => {})
    await Promise.race([this.#othersAreLeft(), late])
    timer.abort()
    return heldForTool(held, () => this.over())
  }

  #ended(): void {
    if (this.#isOver) return
    this.#leaveAll()
    this.#othersAreLeft().then(() => this.#settle(undefined), this.#fail)
  }

  #leaveAll(): void {
    this.#isOver = true
    for (const tracee of this.#all()) this.#leave(tracee)
  }

  /** Detaches from a process. */
  #leave(tracee: Tracee): void {
    if (tracee === this.#found?.tracee || tracee.tracing === null || this.#leaving.has(tracee)) return
    const leaving = tracee.detach().then(
      // Processes that the program leaves behind must not keep the event loop alive.
      () => tracee !== this.child && tracee.unref(),
      (error: unknown) => {
        // It has ended.
        if (!isErrno(error, 'ESRCH')) throw error
      },
    )
    const settled = leaving.then(() => {})
    settled.catch(() => {})
    this.#leaving.set(tracee, settled)
  }

  /** Resolves once every process is detached except the one that was found. */
  async #othersAreLeft(): Promise<void> {
    for (let count = -1; count !== this.#leaving.size; ) {
      for (const tracee of this.#all()) this.#leave(tracee)
      count = this.#leaving.size
      await Promise.all(this.#leaving.values())
    }
  }

  *#all(tracee: Tracee = this.child): Iterable<Tracee> {
    yield tracee
    for (const child of tracee.children.values()) yield* this.#all(child)
  }
}
