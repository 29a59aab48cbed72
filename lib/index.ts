/** tracegate: start a Linux child process held at a gate. */

export { openSystem, type SystemChoice } from './open-system.ts'
export {
  type ChildAction,
  type ChildOp,
  type ChildProgram,
  type ChildReport,
  childReportBytes,
  decodeChildReport,
} from './system/child-program.ts'
export { constants } from './system/constants.ts'
export {
  ChannelClosedError,
  DeadlockError,
  NativeUnavailableError,
  SystemError,
  type SystemErrorDetails,
  TimedOutError,
} from './system/errors.ts'
export type { RegisterName, Registers } from './system/registers.ts'
export { type Signal, type SignalName, signalName, signalNumber } from './system/signals.ts'
export type {
  Abortable,
  EpollEvent,
  PollRequest,
  ResourceUsage,
  SignalInfo,
  System,
  WaitResult,
} from './system/system.ts'
export { decodeWaitStatus, type ExitStatus, isExit, type StopEvent, type WaitStatus } from './system/wait-status.ts'
