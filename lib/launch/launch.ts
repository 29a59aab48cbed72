/** launch(): starts a program and, when tracing, stops it at its exec. */

import { invalidType } from '../system/arguments.ts'
import { ChannelClosedError, ChildDiedError, isErrno, nameStep, SystemError, TimedOutError } from '../system/errors.ts'
import { Attempt } from './attempt/attempt.ts'
import { type CallSite, markCallers } from './base/call-site.ts'
import { Deadline } from './base/deadline.ts'
import type { Child } from './handles/child.ts'
import type { Tracee } from './handles/tracee.ts'
import type { KnownOptions, Launched } from './launched.ts'
import { planWithoutAslr } from './options/aslr.ts'
import type { LaunchOptions } from './options/options.ts'
import { type LaunchPlan, planLaunch } from './options/plan.ts'

/**
 * Starts a traced program and resolves once it is stopped at its exec event, before its first instruction.
 * With `trace: false` the program runs, and the result is a plain {@link Child}.
 *
 * A `file` without a slash is searched in the child's PATH, as execvp(3) does. /bin/sh runs a script without `#!`.
 * `args` may be left out: `launch(file, options)`. A failed launch is undone: the child is killed and reaped, and every
 * descriptor is closed.
 *
 * @throws (by rejection):
 * - SystemError with the `step` that failed ('execve', 'chdir', 'fork' …), its errno and path.
 * - ChildDiedError when the child was killed before its exec.
 * - SystemError ECHILD when another waiter has reaped the child.
 * - TimedOutError after `timeoutMs`.
 * - The reason of `signal`, or what `beforeExec` threw, unchanged.
 * - TypeError or RangeError for bad arguments.
 *
 * The stack of an error made by the launch names the functions that called it.
 *
 * @example
 * const tracee = await launch('/bin/echo', ['hi'], { stdio: 'inherit' })
 * console.log(tracee.pid, tracee.registers().pc)
 * await tracee.run()
 */
export function launch<const Options extends LaunchOptions = Record<never, never>>(
  file: string,
  args?: readonly string[],
  options?: Options & KnownOptions<Options>,
): Promise<Launched<Options>>
export function launch<const Options extends LaunchOptions>(
  file: string,
  options: Options & KnownOptions<Options>,
): Promise<Launched<Options>>
export function launch(
  file: string,
  args?: readonly string[] | LaunchOptions,
  options?: LaunchOptions,
): Promise<Child | Tracee> {
  // The Error is made here and not in launchFor(): V8 would have to decode launchFor's whole optimized frame.
  return launchFor(new Error(), file, args, options)
}

/** `caller`: the stack of the call of launch(). */
async function launchFor(caller: CallSite, file: unknown, args: unknown, options: unknown): Promise<Child | Tracee> {
  const hook = new Hook(planLaunch(file, ...argumentsAndOptions(args, options)))
  let { plan } = hook
  let attempt = new Attempt(plan)
  const deadline = new Deadline(plan.system, `launching ${plan.file}`, plan, () => attempt.look())
  try {
    for (;;) {
      try {
        const child = attempt.start()
        await attempt.untilExec(child, deadline.signal)
        attempt.finish()
        return child
      } catch (error) {
        await attempt.undo()
        const otherPlan = planWithoutAslr(plan, error) ?? planWithoutSeize(plan, error) ?? planWithChannel(plan, error)
        if (otherPlan === undefined) {
          if (!hook.hasThrown(error) && !isReason(plan.signal, error)) describe(error, caller)
          throw error
        }
        plan = otherPlan
        attempt = new Attempt(plan)
      }
    }
  } finally {
    deadline[Symbol.dispose]()
  }
}

/**
 * The same plan by 'traceme', if the kernel refuses to seize the child, as it does for a parent that is not dumpable.
 */
function planWithoutSeize(plan: LaunchPlan, error: unknown): LaunchPlan | undefined {
  if (!plan.mayFallBack || !isErrno(error, 'EPERM') || error.step !== 'seize') return undefined
  return { ...plan, mayFallBack: false, trace: 'traceme', hasGate: plan.beforeExec !== undefined }
}

/** The same plan with a channel, for a kernel or a sandbox that refuses to share the memory that holds the record. */
function planWithChannel(plan: LaunchPlan, error: unknown): LaunchPlan | undefined {
  if (plan.hasChannel || !(error instanceof SystemError) || error.syscall !== 'fork') return undefined
  return refusals.includes(error.code) ? { ...plan, hasChannel: true } : undefined
}

// As RefusesSharedMemory in src/fork.cpp.
const refusals: readonly string[] = ['EINVAL', 'ENOSYS', 'EPERM']

/** Accepts `launch(file, options)` besides `launch(file, args, options)`, as child_process does. */
function argumentsAndOptions(args: unknown, options: unknown): [args: unknown, options: unknown] {
  if (args === undefined || args === null) return [[], options === undefined ? {} : options]
  if (Array.isArray(args) || typeof args !== 'object') return [args, options === undefined ? {} : options]
  if (options !== undefined) throw invalidType('args', 'an instance of Array', args)
  return [[], args]
}

/** Wraps beforeExec and records its error, which the launch must rethrow unchanged. */
class Hook {
  readonly plan: LaunchPlan
  #thrown: { readonly error: unknown } | undefined

  constructor(plan: LaunchPlan) {
    const { beforeExec } = plan
    this.plan = beforeExec === undefined ? plan : { ...plan, beforeExec: child => this.#run(beforeExec, child) }
  }

  hasThrown(error: unknown): boolean {
    return this.#thrown !== undefined && Object.is(this.#thrown.error, error)
  }

  async #run(beforeExec: NonNullable<LaunchPlan['beforeExec']>, child: Child): Promise<void> {
    try {
      await beforeExec(child)
    } catch (error) {
      this.#thrown = { error }
      throw error
    }
  }
}

function isReason(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && Object.is(signal.reason, error)
}

/**
 * Gives an error of the launch the caller's stack and a step. A failed call of the parent is a step under the call's
 * own name.
 */
function describe(error: unknown, caller: CallSite): void {
  if (error instanceof SystemError) {
    nameStep(error, error.syscall)
  } else if (
    !(error instanceof ChildDiedError || error instanceof TimedOutError || error instanceof ChannelClosedError)
  ) {
    return
  }
  markCallers(error, caller)
}
