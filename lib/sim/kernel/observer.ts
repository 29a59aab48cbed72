/** What a kernel tells of a run while it goes on: enough to draw it. */

import type { SignalOrigin } from '../base/signal-set.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { Task } from '../processes/task.ts'
import type { Awaited } from './event-loop.ts'

/**
 * Something that happened, told at the moment it did. What a call causes is told between its `call` and its `result`.
 *
 * - `call`: a task begins a system call by its C name; `method` is System's, where ptrace(2) has many requests. Made again after a signal, it begins again.
 * - `result`: the call under way answers: a result, a negative errno, `blocked`, or that a signal interrupted it. A blocked one answers once more.
 * - `signal`: one was sent to the task (any of its process's, where `toProcess`), whatever becomes of it.
 * - `handler`: a handler of the program is about to run.
 * - `stop`, `go`: the task stops (`code`: the signal, a ptrace event above it), and later goes on.
 * - `exiting`, `end`: the task begins to exit, its descriptors not yet closed; it is a zombie.
 * - `finished`: nobody holds the file any more.
 * - `fault`: something goes wrong that was chosen to: an errno or 'short' in the task's call under way, or SIGKILL.
 * - `await`, `settle`, `reject`: the host begins to await something, and what it awaits comes true, or does not: it is given up, or cannot come.
 */
export type KernelEvent =
  | {
      readonly kind: 'call'
      readonly task: Task
      readonly name: string
      readonly method?: string | undefined
      readonly args?: readonly unknown[] | undefined
    }
  | { readonly kind: 'result'; readonly task: Task; readonly result: unknown }
  | { readonly kind: 'signal'; readonly task: Task; readonly signal: number; readonly origin: SignalOrigin }
  | { readonly kind: 'handler'; readonly task: Task; readonly signal: number }
  | { readonly kind: 'stop'; readonly task: Task; readonly code: number; readonly traced: boolean }
  | { readonly kind: 'go'; readonly task: Task }
  | { readonly kind: 'exec'; readonly task: Task }
  | { readonly kind: 'fork'; readonly task: Task; readonly child: Task }
  | { readonly kind: 'exiting' | 'end'; readonly task: Task; readonly status: number }
  | { readonly kind: 'finished'; readonly file: OpenFile }
  | { readonly kind: 'fault'; readonly task: Task; readonly what: string }
  | { readonly kind: 'await' | 'settle'; readonly awaited: Awaited }
  | { readonly kind: 'reject'; readonly awaited: Awaited; readonly reason: unknown }

/** Told of every event. It only looks: what it calls of the kernel must change nothing. */
export type KernelObserver = (event: KernelEvent) => void
