/** Recording a world that is not explored. */

import { kernelOf, type SimulatedKernel } from '../simulated-kernel.ts'
import { TimelineRecorder } from './timeline-recorder.ts'

/**
 * Records what happens in a world from now on, until `finish()` gives the timeline. What is not recorded pays nothing.
 *
 * @example
 * const kernel = new SimulatedKernel({ seed: 1 })
 * const recorder = recordTimeline(kernel)
 * await (await launch('/bin/true', [], { system: kernel.host })).run()
 * console.log(String(recorder.finish()))
 */
export function recordTimeline(world: SimulatedKernel): TimelineRecorder {
  return new TimelineRecorder(kernelOf(world))
}
