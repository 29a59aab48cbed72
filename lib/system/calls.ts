/** The types of System's synchronous calls: their names, the arguments of their implementations, their results. */

import type { CheckedChanges } from './registers.ts'
import type { Descriptors, EpollEvent, Processes, Readiness, System, Tracing } from './system.ts'

/** System's synchronous calls. awaited-arguments.ts checks the asynchronous ones. */
export type CallName = Exclude<keyof System, 'kind' | 'ready' | 'watch' | 'now' | 'sleep' | 'onChildChange'>

export type DescriptorCallName = Extract<CallName, keyof Descriptors>
export type ReadinessCallName = Extract<CallName, keyof Readiness>
export type ProcessCallName = Extract<CallName, keyof Processes>
export type TracingCallName = Extract<CallName, keyof Tracing>

/** Calls whose implementation takes other arguments than the public method. */
interface OtherArguments {
  sendmsg: [fd: number, data: Uint8Array, fds: readonly number[], flags: number]
  recvmsg: [fd: number, buffer: Uint8Array, maxFds: number, flags: number]
  epollCtl: [epfd: number, op: number, fd: number, event: EpollEvent | undefined]
  openpty: [rows: number, columns: number]
  setWindowSize: [fd: number, rows: number, columns: number]
  kill: [pid: number, signal: number]
  tgkill: [pid: number, tid: number, signal: number]
  ptraceCont: [pid: number, signal: number]
  ptraceStep: [pid: number, signal: number]
  ptraceSyscall: [pid: number, signal: number]
  ptraceDetach: [pid: number, signal: number]
  ptraceSetRegisters: [pid: number, changes: CheckedChanges]
  ptraceSetSigMask: [pid: number, signals: readonly number[]]
}

/**
 * The arguments that an implementation receives: defaults filled in, masks unsigned, signals as numbers, timeouts in
 * whole milliseconds.
 */
export type CheckedArguments<Name extends CallName> = Name extends keyof OtherArguments
  ? OtherArguments[Name]
  : Required<Parameters<System[Name]>>

/** The implementations of calls. Their arguments are already checked. */
export type Calls<Results extends Record<Names, unknown>, Names extends CallName = CallName> = {
  readonly [Name in Names]: (...args: CheckedArguments<Name>) => Results[Name]
}

/** The result type of each of System's calls. */
export type SystemResults = { [Name in CallName]: ReturnType<System[Name]> }

/** The implementations of all calls, in the parts that System is composed of. */
export interface AllCalls<Results extends Record<CallName, unknown>> {
  readonly descriptors: Calls<Results, DescriptorCallName>
  readonly readiness: Calls<Results, ReadinessCallName>
  readonly processes: Calls<Results, ProcessCallName>
  readonly tracing: Calls<Results, TracingCallName>
}
