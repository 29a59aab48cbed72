import type { DataRaceError } from '../../../lib/sim/findings/data-race.ts'
import { RaceDetector } from '../../../lib/sim/findings/race-detector.ts'
import {
  type Calling,
  type Cell,
  type Program,
  RandomScheduler,
  RoundRobinScheduler,
  type SimulatedProcess,
} from '../../../lib/sim/index.ts'
import type { Kernel } from '../../../lib/sim/kernel/kernel.ts'
import { kernelOf, SimulatedKernel } from '../../../lib/sim/simulated-kernel.ts'
import type { System } from '../system.ts'
import { exec, program } from '../world.ts'

/** A world with a race detector. */
export interface WatchedWorld {
  readonly kernel: SimulatedKernel
  readonly host: System
  readonly inner: Kernel
  readonly detector: RaceDetector
}

const seeds = 40

/** A world whose choices come from a seed; 0 schedules the tasks in turn. */
export function watched(seed = 0): WatchedWorld {
  const scheduler = seed === 0 ? new RoundRobinScheduler() : new RandomScheduler(seed)
  const kernel = new SimulatedKernel({ scheduler })
  const inner = kernelOf(kernel)
  return { kernel, host: kernel.host, inner, detector: new RaceDetector(inner) }
}

type Scenario = (world: WatchedWorld) => void | Promise<void>

/** The races of a scenario under many seeds, each run to its end; undefined for a run without. */
export async function racesOf(scenario: Scenario): Promise<(DataRaceError | undefined)[]> {
  const races: (DataRaceError | undefined)[] = []
  for (let seed = 0; seed < seeds; seed++) {
    const world = watched(seed)
    await scenario(world)
    world.kernel.settle()
    for (const { error } of world.kernel.crashes) throw error
    races.push(world.detector.race)
  }
  return races
}

/** Whether none, some or all of the runs raced. */
export async function racing(scenario: Scenario): Promise<'none' | 'some' | 'all'> {
  const found = (await racesOf(scenario)).filter(race => race !== undefined).length
  return found === 0 ? 'none' : found === seeds ? 'all' : 'some'
}

/** As {@link racing}, for a program that runs alone and gets a cell. */
export function racingProgram(main: (self: SimulatedProcess, cell: Cell<number>) => ReturnType<Program>) {
  return racing(({ kernel, host }) => {
    const cell = kernel.cell(0)
    kernel.install('/main', self => main(self, cell))
    host.waitpid(host.fork(program(exec('/main'))))
  })
}

/** Makes children that run these programs, and waits for all of them. */
export function* together(self: SimulatedProcess, ...programs: Program[]): Calling<void> {
  const pids: number[] = []
  for (const each of programs) pids.push(yield* self.fork(each))
  for (const pid of pids) yield* self.waitpid(pid)
}
