/** A program that is held for a tool: at its exec, or at the gate before it. */

import type { Child } from '../../launch/child.ts'
import { launch } from '../../launch/launch.ts'
import type { LaunchOptions } from '../../launch/options.ts'
import { HeldProgram } from '../held-program.ts'

/** A program held for a tool. */
export interface HeldForTool {
  readonly child: Child
  /** Whether it still is where it was held, and traced by nothing. */
  readonly isHeld: boolean
  /** Lets it run. */
  letGo(): void
  /** Kills it, and resolves once it has ended. */
  kill(): Promise<void>
  /** Resolves at the end of the program that was launched. Rejects if its exec, which a gate comes before, fails. */
  readonly exited: Promise<unknown>
}

/** Holds a program in state T, before its first instruction. */
export async function holdAtExec(file: string, args: readonly string[], options: LaunchOptions): Promise<HeldForTool> {
  const child = await launch(file, args, { ...options, trace: 'traceme' })
  const program = new HeldProgram(child)
  await program.leave()
  return heldForTool(program, () => child.exited)
}

/** A program that was left in state T. `exited` gives what its user waits for in the end. */
export function heldForTool(program: HeldProgram, exited: () => Promise<unknown>): HeldForTool {
  const { tracee: child } = program
  return {
    child,
    get isHeld() {
      return program.isUnrun
    },
    letGo: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      // Where another process reaps it, its status may be unknown.
      await child.exited.catch(() => {})
    },
    get exited() {
      return exited()
    },
  }
}

/** At the gate the program was let go on purpose to end it: its launch rejects with this. */
class Killed extends Error {}

/**
 * Holds a program before its exec, which the tool sees then. The child waits for a byte, and is in no stop.
 *
 * In shared memory a debugger's breakpoints would stand in this process. So the child has a copy.
 */
export async function holdAtGate(file: string, args: readonly string[], options: LaunchOptions): Promise<HeldForTool> {
  let open = () => {}
  let abort = (_: Error) => {}
  const gate = new Promise<void>((resolve, reject) => {
    open = resolve
    abort = reject
  })
  let isHeld = false
  let launching: Promise<Child> | undefined
  const child = await new Promise<Child>((resolve, reject) => {
    launching = launch(file, args, {
      ...options,
      trace: false,
      memory: 'copied',
      beforeExec(held) {
        isHeld = true
        resolve(held)
        return gate
      },
    })
    launching.catch(reject)
  })
  const exited = launching!.then(
    () => child.exited,
    (error: unknown) => {
      if (!(error instanceof Killed)) throw error
    },
  )
  // It is awaited at the end only.
  exited.catch(() => {})
  return {
    child,
    get isHeld() {
      return isHeld
    },
    letGo() {
      isHeld = false
      open()
    },
    async kill() {
      if (isHeld) abort(new Killed())
      else child.kill('SIGKILL')
      isHeld = false
      await exited.catch(() => {})
    },
    exited,
  }
}
