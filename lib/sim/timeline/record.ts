/** Records a world outside an exploration. */

import { kernelOf, type SimulatedKernel } from '../simulated-kernel.ts'
import { newRecorder, type TimelineRecorder } from './timeline-recorder.ts'

/**
 * Records the events of a world from now on, until `finish()` returns the timeline. An unrecorded world has no cost.
 *
 * @example
 * const kernel = new SimulatedKernel({ seed: 1 })
 * const recorder = recordTimeline(kernel)
 * await (await launch('/bin/true', [], { system: kernel.host })).run()
 * console.log(String(recorder.finish()))
 */
export function recordTimeline(world: SimulatedKernel): TimelineRecorder {
  return newRecorder(kernelOf(world))
}
