/** What can be wrong with a run: data races, deadlocks, leaks. */

export { type CellAccess, DataRaceError, type RacedCell } from './data-race.ts'
export { blockedTasks, deadlockError, SimulatedDeadlockError, type WaitGraph, waitGraph } from './deadlock.ts'
export { findLeaks, type Leak, LeakError, type LeakedDescriptor, type LeakedProcess } from './leaks.ts'
export { RaceDetector } from './race-detector.ts'
