/** Worlds that are recorded. */

import { launch } from '../../../lib/launch/launch.ts'
import { RandomScheduler, RoundRobinScheduler, type Scheduler } from '../../../lib/sim/base/scheduler.ts'
import type { Kernel } from '../../../lib/sim/kernel/kernel.ts'
import type { Program } from '../../../lib/sim/programs/program.ts'
import { kernelOf, SimulatedKernel } from '../../../lib/sim/simulated-kernel.ts'
import { recordTimeline, type Timeline, type TimelineRecorder } from '../../../lib/sim/timeline/index.ts'
import type { ChildAction, ChildProgram, System } from '../system.ts'
import { outcome } from '../world.ts'

export interface Recorded {
  readonly kernel: Kernel
  readonly host: System
  readonly recorder: TimelineRecorder
}

/** A world and its kernel, not recorded. */
export function bareWorld(scheduler: Scheduler, programs: Readonly<Record<string, Program>> = {}) {
  const world = new SimulatedKernel({ scheduler, programs })
  return { kernel: kernelOf(world), host: world.host, world }
}

/** A recorded world; with a seed, scheduled at random. */
export function recorded(seed?: number, programs?: Readonly<Record<string, Program>>): Recorded {
  const scheduler = seed === undefined ? new RoundRobinScheduler() : new RandomScheduler(seed)
  const { kernel, host, world } = bareWorld(scheduler, programs)
  return { kernel, host, recorder: recordTimeline(world) }
}

/** The host goes first at every choice; other tasks step only while it waits. */
const hostFirst: Scheduler = { choose: () => 0 }

/** As {@link recorded}, with the host going first. */
export function recordedHostFirst(programs?: Readonly<Record<string, Program>>): Recorded {
  const { kernel, host, world } = bareWorld(hostFirst, programs)
  return { kernel, host, recorder: recordTimeline(world) }
}

export function child(...actions: ChildAction[]): ChildProgram {
  return { actions }
}

export const exec = (file: string): ChildAction => ({ op: 'execve', files: [file], argv: [file], env: [] })

/** The events in order, as 'column: text': 'host: read(3) = 1'. */
export function said(timeline: Timeline): string[] {
  return timeline.events.map(({ column, text }) => {
    const { pid, tid, name } = timeline.columns[column]!
    return `${column === 0 ? name : tid === pid ? pid : tid}: ${text}`
  })
}

/** The arrows: 'bytes (1 byte): write(4, 1 byte) = 1 → read(3) = 1'. */
export function passed({ arrows, events }: Timeline): string[] {
  return arrows.map(
    ({ from, to, kind, label }) =>
      `${kind}${label === '' ? '' : ` (${label})`}: ${events[from]!.text} → ${events[to]!.text}`,
  )
}

/** Two processes with a pipe each way, each waiting for the other to begin. */
export function deadlocked(): Timeline {
  const { host, recorder } = recordedHostFirst()
  const [readA, writeA] = host.pipe2()
  const [readB, writeB] = host.pipe2()
  const pid = host.fork(
    child({ op: 'read', fd: readA, bytes: 1 }, { op: 'write', fd: writeB, data: new Uint8Array(1) }),
  )
  host.close(readA)
  outcome(() => host.read(readB, new Uint8Array(1)))
  host.write(writeA, new Uint8Array(1))
  return recorder.finish([
    { kind: 'deadlock', text: `waits for ${pid}`, tid: 100, position: 5, waitsFor: [pid] },
    { kind: 'deadlock', text: 'waits for 100', tid: pid, waitsFor: [100] },
  ])
}

/** Several launches at once, from fork to exit. */
export async function launches(seed: number, files = ['/bin/true', '/bin/echo', '/bin/false']): Promise<Timeline> {
  const { host, recorder } = recorded(seed)
  const tracees = await Promise.all(files.map(file => launch(file, ['hello'], { system: host, stdio: 'ignore' })))
  await Promise.all(tracees.map(each => each.run()))
  return recorder.finish()
}
