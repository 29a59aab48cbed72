/**
 * The System: the package's whole view of Linux. Channel, launch and Tracee call nothing else.
 *
 * Two implementations exist: the native one over the addon, and the simulated kernel.
 */

import type { Descriptors } from './descriptors.ts'
import type { Processes } from './processes.ts'
import type { Readiness } from './readiness.ts'
import type { Tracing } from './tracing.ts'

export type { Descriptors, MessageRoom, OutgoingMessage, ReceivedMessage, WindowSize } from './descriptors.ts'
export type { Processes, ResourceUsage, WaitidResult, WaitResult } from './processes.ts'
export type { Abortable, EpollEvent, PollRequest, Readiness, ReadinessListener, ReadinessWatch } from './readiness.ts'
export type { SignalInfo, SyscallInfo, Tracing } from './tracing.ts'

/**
 * System calls by name. Each throws SystemError on failure; a call that would block, blocks.
 *
 * Arguments of a wrong type or range, and unknown fields, are refused before any call. The errors are Node's
 * ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE and ERR_INVALID_ARG_VALUE, with the same text in every System of this package.
 */
export interface System extends Descriptors, Readiness, Processes, Tracing {
  /** 'native' over the real kernel, 'simulated' over the simulated one. */
  readonly kind: 'native' | 'simulated'
}
