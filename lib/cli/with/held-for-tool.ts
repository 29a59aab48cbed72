/** A program that is held for a tool: at its exec, or at the gate before it. */

import type { Child } from '../../launch/handles/child.ts'
import { launch } from '../../launch/launch.ts'
import type { LaunchOptions } from '../../launch/options/options.ts'
import { HeldProgram } from '../held-program.ts'

/** A program held for a tool. */
export interface HeldForTool {
  readonly child: Child
  /** Whether it is still where it was held, and untraced. */
  readonly isHeld: boolean
  /** Lets it run. */
  letGo(): void
  /** Kills it, and resolves once it has ended. */
  kill(): Promise<void>
  /** Resolves at the end of the launched program. Rejects if it was held at the gate and its exec then fails. */
  readonly exited: Promise<unknown>
}

/** Holds a program in state T, before its first instruction. */
export async function holdAtExec(file: string, args: readonly string[], options: LaunchOptions): Promise<HeldForTool> {
  const child = await launch(file, args, { ...options, trace: 'traceme' })
  const program = new HeldProgram(child)
  await program.leave()
  return heldForTool(program, () => child.exited)
}

/** A program that was left in state T. `exited`: what is waited for in the end. */
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

/** Ends the launch of a program that waits at the gate: the launch rejects with it. */
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
