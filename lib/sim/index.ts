/** The simulated kernel: the entry 'tracegate/sim'. */

export { ProgramError } from './base/program-error.ts'
export { type Actor, type Choice, RandomScheduler, RoundRobinScheduler, type Scheduler } from './base/scheduler.ts'
export { simulatedHint } from './base/simulated-hint.ts'
export { NondeterminismError } from './explore/checks.ts'
export { explore, replay } from './explore/explore.ts'
export type {
  ExploreFailure,
  ExploreOptions,
  ExploreReport,
  FailureKind,
  Scenario,
  StrategyName,
} from './explore/types.ts'
export type { ExternalFile } from './files/outside-answers.ts'
export { type CellAccess, DataRaceError, type RacedCell } from './findings/data-race.ts'
export { type AwaitedFile, type Blocked, SimulatedDeadlockError, type WaitGraph } from './findings/deadlock.ts'
export { type Leak, LeakError, type LeakedDescriptor, type LeakedProcess } from './findings/leaks.ts'
export type { WaitCause } from './findings/wait-causes.ts'
export { HostKilledError } from './host/call-errors.ts'
export type { ProgramRun, RunOptions, RunStdio } from './host/run-program.ts'
export type { Crash } from './kernel/kernel.ts'
export type { Calling, YieldedCall } from './programs/calling.ts'
export type { Cell } from './programs/cell.ts'
export type { Program } from './programs/program.ts'
export type { Handler, HandlerAction, HandlerOptions, SignalHandler } from './programs/signal-actions.ts'
export type { SimulatedProcess, SimulatedThread } from './programs/simulated-process.ts'
export { type CellOptions, SimulatedKernel, type SimulatedKernelOptions } from './simulated-kernel.ts'
export * from './timeline/index.ts'
