import { expect, it } from 'vitest'
import type { Choice, Program } from '../../../lib/sim/index.ts'
import { ExploredRun } from '../../../lib/sim/kernel/explored-run.ts'
import { kernelOf, SimulatedKernel } from '../../../lib/sim/simulated-kernel.ts'
import { exec } from '../world.ts'

/** Two children wait for one byte, the first one longer. Returns which one gets it, and the options of the choice. */
function whoGetsIt(explored: boolean): { pid: number | undefined; asked: Choice[] } {
  const asked: Choice[] = []
  const choose = (choice: Choice) => {
    if (choice.kind === 'wake') asked.push(choice)
    return choice.kind === 'wake' ? 1 : 0
  }
  const world = new SimulatedKernel({ scheduler: { choose } })
  if (explored) kernelOf(world).run = new ExploredRun({})
  const { host } = world
  const [read, write] = host.pipe2(0)
  const reader: Program = function* (process) {
    yield* process.read(read, new Uint8Array(1))
  }
  world.install('/bin/reader', reader)
  for (let i = 0; i < 2; i++) host.fork({ actions: [exec('/bin/reader')] })
  world.settle()
  host.write(write, Uint8Array.of(1))
  return { pid: host.waitpid(-1)?.pid, asked }
}

it('of several readers that wait for one byte the first is woken, as on Linux', () => {
  expect(whoGetsIt(false)).toEqual({ pid: 101, asked: [] })
})

it('an exploration may wake another, since Linux does not promise that order', () => {
  const { pid, asked } = whoGetsIt(true)
  expect(pid).toBe(102)
  expect(asked.map(({ options }) => options.length)).toEqual([2])
})
