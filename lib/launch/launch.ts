/** launch(): starts a program, held at its exec when traced. */

import { SystemError } from '../system/errors.ts'
import { Attempt } from './attempt.ts'
import type { Child } from './child.ts'
import { Deadline } from './deadline.ts'
import type { LaunchOptions } from './options.ts'
import { planLaunch } from './plan.ts'
import type { Tracee } from './tracee.ts'

/**
 * Starts a program, traced, and resolves with it stopped at its exec event, before its first instruction. With `trace: false`: started, a plain {@link Child}.
 *
 * `file` is looked for in PATH when it has no slash. A launch that fails is undone: the child killed and reaped, every descriptor closed.
 *
 * @throws (by rejection) SystemError naming the `step` that failed ('execve', 'chdir', 'fork' …), its errno and path; ChildDiedError when the child was
 * killed before its exec; TimedOutError after `timeoutMs`; the reason of `signal`; what `beforeExec` threw; a TypeError or RangeError for bad arguments.
 *
 * @example
 * const tracee = await launch('/bin/echo', ['hi'], { stdio: 'inherit' })
 * console.log(tracee.pid, tracee.registers().rip)
 * await tracee.run()
 */
export function launch(
  file: string,
  args: readonly string[] | undefined,
  options: LaunchOptions & { readonly trace: false },
): Promise<Child>
export function launch(file: string, args?: readonly string[], options?: LaunchOptions): Promise<Tracee>
export async function launch(
  file: string,
  args: readonly string[] = [],
  options: LaunchOptions = {},
): Promise<Child | Tracee> {
  const plan = planLaunch(file, args, options)
  const deadline = new Deadline(plan.system, `launching ${file}`, options)
  const attempt = new Attempt(plan)
  try {
    const child = attempt.start()
    await attempt.untilExec(child, deadline.signal)
    attempt.finish(child)
    return child
  } catch (error) {
    await attempt.undo()
    throw withStep(error)
  } finally {
    deadline[Symbol.dispose]()
  }
}

/** A call of the parent's own that failed is a step of the launch under its own name. */
function withStep(error: unknown): unknown {
  if (!(error instanceof SystemError) || error.step !== undefined) return error
  const { errno, syscall, path, pid } = error
  return new SystemError({ errno, syscall, path, pid, step: syscall })
}
