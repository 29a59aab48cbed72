/** A System that records a launch's calls and their times: the handshake from the parent's side. */

import type { ChildProgram } from '../system/child-program.ts'
import { explainAs } from '../system/private-calls.ts'
import type { System, WaitResult } from '../system/system.ts'
import { isExit, type WaitStatus } from '../system/wait-status.ts'

/** One call of the parent that belongs to the handshake. Times are of the System's clock. */
export type RecordedCall =
  | { readonly call: 'pipe2'; readonly atMs: number; readonly fds: readonly [number, number] }
  | {
      readonly call: 'fork'
      readonly atMs: number
      readonly doneMs: number
      readonly pid: number
      readonly program: ChildProgram
    }
  | { readonly call: 'waitpid'; readonly atMs: number; readonly status: WaitStatus }
  | { readonly call: 'ptraceSetOptions' | 'ptraceCont'; readonly atMs: number; readonly pid: number }

export interface Recorder {
  readonly system: System
  readonly calls: readonly RecordedCall[]
}

/** Wraps a System, whose calls stay unchanged. Records up to the exec, and the end: later stops may be millions. */
export function record(system: System): Recorder {
  const calls: RecordedCall[] = []
  const now = () => system.now()
  let hasExeced = false
  const note = (call: RecordedCall) => {
    if (!hasExeced || (call.call === 'waitpid' && isExit(call.status))) calls.push(call)
    hasExeced ||= call.call === 'waitpid' && call.status.kind === 'stopped' && call.status.event === 'exec'
  }
  const recorded: Partial<System> = {
    pipe2(flags) {
      const fds = system.pipe2(flags)
      note({ call: 'pipe2', atMs: now(), fds })
      return fds
    },
    fork(program) {
      const atMs = now()
      const pid = system.fork(program)
      note({ call: 'fork', atMs, doneMs: now(), pid, program })
      return pid
    },
    waitpid(pid, options): WaitResult | null {
      const result = system.waitpid(pid, options)
      if (result !== null) note({ call: 'waitpid', atMs: now(), status: result.status })
      return result
    },
    ptraceSetOptions(pid, options) {
      system.ptraceSetOptions(pid, options)
      note({ call: 'ptraceSetOptions', atMs: now(), pid })
    },
    ptraceCont(pid, signal) {
      system.ptraceCont(pid, signal)
      note({ call: 'ptraceCont', atMs: now(), pid })
    },
  }
  const wrapped = new Proxy(system, {
    get(target, name) {
      const own = recorded[name as keyof System]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  explainAs(wrapped, system)
  return { system: wrapped, calls }
}
