/** tracegate: start a Linux child process held at a gate. */

export { type AttachOptions, attach } from './launch/attach.ts'
export type { WaitOptions } from './launch/base/deadline.ts'
export { Channel, type ChannelOptions } from './launch/channel/channel.ts'
export type { TerminateOptions } from './launch/children/terminate.ts'
export { Child, type ChildEvents, type ChildExit } from './launch/handles/child.ts'
export { TracedThread, type TracedThreadEvents } from './launch/handles/traced-thread.ts'
export { type ThreadStop, Tracee } from './launch/handles/tracee.ts'
export type { DetachOptions, EveryStopOptions, StopAllOptions } from './launch/handles/tracee-options.ts'
export { launch } from './launch/launch.ts'
export type { KnownOptions, Launched } from './launch/launched.ts'
export type { IdRange, LaunchOptions, ResourceLimit, ResourceLimits, TraceMode } from './launch/options/options.ts'
export type { ReadyConvention } from './launch/readiness/notifications.ts'
export { openPty, Pty, type PtyMaster, type PtyOptions, PtySlave } from './launch/stdio/pty.ts'
export type { ChildStream } from './launch/stdio/stdio.ts'
export type { StdioEntry, StdioOptions, StreamWithFd } from './launch/stdio/stdio-entries.ts'
export type { ChildDuplex, ChildReadable, ChildWritable, StreamDescriptor } from './launch/stdio/streams.ts'
export type { WatchOptions } from './launch/tracing/memory/debug-registers.ts'
export type { Follow, Tracing } from './launch/tracing/tasks/options.ts'
export type { EndReason } from './launch/tracing/tasks/task-state.ts'
export { openSystem, type SystemChoice } from './open-system.ts'
export type { Held, RemoteExit } from './rendezvous/held.ts'
export { type CommandOptions, Rendezvous, type RendezvousOptions } from './rendezvous/rendezvous.ts'
export { syscallName, syscallNumber } from './syscall-names.ts'
export type { Architecture } from './system/architecture.ts'
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
  ChildDiedError,
  DeadlockError,
  isErrno,
  NativeUnavailableError,
  NotReadyError,
  SystemError,
  type SystemErrorDetails,
  TimedOutError,
} from './system/errors.ts'
export type { NamespaceName } from './system/namespaces.ts'
export type { RegisterChanges, RegisterName, Registers } from './system/registers.ts'
export type { ResourceName } from './system/resources.ts'
export { type Signal, type SignalName, signalName, signalNumber } from './system/signals.ts'
export type {
  Abortable,
  Descriptors,
  EpollEvent,
  MessageRoom,
  OutgoingMessage,
  PollRequest,
  Processes,
  Readiness,
  ReadinessListener,
  ReadinessWatch,
  ReceivedMessage,
  ResourceUsage,
  SignalInfo,
  SyscallInfo,
  System,
  WaitidResult,
  WaitResult,
  WindowSize,
} from './system/system.ts'
export {
  decodeWaitStatus,
  type ExitStatus,
  isExit,
  type StopEvent,
  type StopReason,
  type StopStatus,
  type Trap,
  type WaitStatus,
} from './system/wait-status.ts'
