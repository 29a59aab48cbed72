// Draws a launch in the simulated Linux: what parent and child call, in which order, and what wakes what.
//
//   node examples/draw-a-launch.mjs launch.svg

import { writeFileSync } from 'node:fs'
import { launch } from 'tracegate'
import { recordTimeline, SimulatedKernel } from 'tracegate/sim'

const kernel = new SimulatedKernel()
const recording = recordTimeline(kernel)

// With beforeExec the child notifies through a channel, and waits at its gate, which is another one.
const beforeExec = () => {}
const tracee = await launch('/bin/echo', ['hi'], { system: kernel.host, stdio: 'inherit', beforeExec })
await tracee.run()

const timeline = recording.finish()
const [file] = process.argv.slice(2)
if (file === undefined) console.log(String(timeline))
else writeFileSync(file, timeline.toSvg())
