/** What this package's own Systems do for it beside their public calls. A System of another make has none of it. */

import type { System } from './system.ts'

/** The descriptors of one worker thread. Those still open are closed when the thread is terminated, which runs no JavaScript. */
export interface DescriptorOwnership {
  /** Adds one that is open already. */
  add(fd: number): void
  /** Adds those that calls inside `make` open: each is added by the very call that opens it. */
  during<T>(make: () => T): T
}

export interface PrivateCalls {
  /** Left out where no descriptor outlives the thread. */
  readonly ownership?: DescriptorOwnership
  /** The children that launch() waits for: a stop of theirs would go to that wait, so the public calls refuse to attach to them. */
  readonly awaitedChildren: Set<number>
  /** PTRACE_SEIZE of an awaited child. */
  seizeAwaited(pid: number, options: number): void
  /** Whether a child that is not reaped yet has exec'ed since its fork, or is about to end; undefined where that cannot be known. */
  hasExeced(pid: number): boolean | undefined
  /** Why execve found none of the files (ENOENT) where that says more, seen from a child's working directory; undefined where it does not. */
  whyNotFound(files: readonly string[], directory: string | undefined): string | undefined
  /** Whether a tracee of the calling thread is in a ptrace-stop, whoever was told of it. */
  isInTraceStop(pid: number): boolean
}

/** Not a WeakMap, whose entries outlive the short-lived worlds of an exploration: it would take half of its schedules a second. */
const offered = Symbol('private calls')

/** Called once by each System of this package, when it is made. */
export function offerPrivateCalls(system: System, calls: PrivateCalls): void {
  Object.defineProperty(system, offered, { value: new Offered(system, calls) })
}

class Offered {
  /** A Proxy hands this on, but is not the System. */
  readonly by: System
  readonly calls: PrivateCalls

  constructor(by: System, calls: PrivateCalls) {
    this.by = by
    this.calls = calls
  }
}

/** Undefined for a System of another make, a Proxy around one of ours included. */
export function privateCallsOf(system: object): PrivateCalls | undefined {
  const offer = (system as { readonly [offered]?: Offered })[offered]
  return offer?.by === system ? offer.calls : undefined
}

/** PTRACE_SEIZE of a child of a launch. */
export function seizeAwaited(system: System, pid: number, options: number): void {
  const calls = privateCallsOf(system)
  if (calls === undefined) system.ptraceSeize(pid, options)
  else calls.seizeAwaited(pid, options)
}

/** Said of a child that launch() waits for. */
export const awaitedHint =
  'launch() waits for this child and would take its stops; launch it with a trace mode, or fork it with System.fork'
