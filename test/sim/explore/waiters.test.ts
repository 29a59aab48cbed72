import { expect, it } from 'vitest'
import type { Choice, Program } from '../../../lib/sim/index.ts'
import { ExploredRun } from '../../../lib/sim/kernel/explored-run.ts'
import { kernelOf, SimulatedKernel } from '../../../lib/sim/simulated-kernel.ts'
import { exec } from '../world.ts'

/** Two children wait for one byte, the first one longer. Returns which one gets it, and the options of the choice. */
function whoGetsIt(explored: boolean, readers = 2): { pid: number | undefined; asked: Choice[]; taken: string[] } {
  const asked: Choice[] = []
  const taken: string[] = []
  const choose = (choice: Choice) => {
    if (choice.kind === 'wake') asked.push(choice)
    return choice.kind === 'wake' ? 1 : 0
  }
  const world = new SimulatedKernel({ scheduler: { choose } })
  kernelOf(world).trace.attach({ wakeTaken: ({ label }) => taken.push(label) })
  if (explored) kernelOf(world).run = new ExploredRun({})
  const { host } = world
  const [read, write] = host.pipe2(0)
  const reader: Program = function* (process) {
    yield* process.read(read, new Uint8Array(1))
  }
  world.install('/bin/reader', reader)
  for (let i = 0; i < readers; i++) host.fork({ actions: [exec('/bin/reader')] })
  world.settle()
  host.write(write, Uint8Array.of(1))
  return { pid: host.waitpid(-1)?.pid, asked, taken }
}

it('of several readers that wait for one byte the first is woken, as on Linux', () => {
  expect(whoGetsIt(false)).toMatchObject({ pid: 101, asked: [] })
})

it('an exploration may wake another, since Linux does not promise that order', () => {
  const { pid, asked } = whoGetsIt(true)
  expect(pid).toBe(102)
  expect(asked.map(({ options }) => options.length)).toEqual([2])
})

it('of several readers the one that is woken is told to probes, since another would be without it', () => {
  expect(whoGetsIt(true).taken).toEqual(['102 (/bin/reader)'])
  expect(whoGetsIt(true, 1).taken).toEqual([])
})
