import { expect, it } from 'vitest'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { Tracepoints } from '../../../lib/sim/kernel/tracepoints.ts'
import { kernelOf } from '../../../lib/sim/simulated-kernel.ts'

it('a tracepoint without a probe is null', () => {
  expect(Object.values(new Tracepoints()).filter(point => point !== null)).toEqual([])
})

it('probes of one tracepoint are called in the order they were attached', () => {
  const trace = new Tracepoints()
  const called: string[] = []
  for (const name of ['first', 'second', 'third']) trace.attach({ worldUsed: () => called.push(name) })
  trace.worldUsed?.()
  expect(called).toEqual(['first', 'second', 'third'])
})

it('detaching removes these probes only, and keeps the others in order', () => {
  const trace = new Tracepoints()
  const called: string[] = []
  const probes = ['first', 'second', 'third'].map(name => ({
    worldUsed: () => called.push(name),
    groupsUsed: () => called.push(`${name}, groups`),
  }))
  for (const each of probes) trace.attach(each)
  trace.detach(probes[1]!)
  trace.worldUsed?.()
  trace.groupsUsed?.()
  expect(called).toEqual(['first', 'third', 'first, groups', 'third, groups'])
  trace.detach(probes[0]!)
  trace.detach(probes[2]!)
  expect(trace.worldUsed).toBeNull()
})

it('a probe may detach itself while it is called, and the others are still called', () => {
  const trace = new Tracepoints()
  const called: string[] = []
  const once = {
    worldUsed() {
      called.push('once')
      trace.detach(once)
    },
  }
  trace.attach(once)
  trace.attach({ worldUsed: () => called.push('always') })
  trace.worldUsed?.()
  trace.worldUsed?.()
  expect(called).toEqual(['once', 'always', 'always'])
})

it('a write and a read are traced between the call and its result', () => {
  const world = new SimulatedKernel()
  const { host } = world
  const [r, w] = host.pipe2()
  const traced: string[] = []
  kernelOf(world).trace.attach({
    calling: (_task, { name }) => traced.push(name),
    bytesPut: (_pipe, bytes) => traced.push(`put ${bytes}`),
    bytesTaken: (_pipe, bytes) => traced.push(`took ${bytes}`),
    answered: (_task, result) => traced.push(`= ${String(result)}`),
  })
  host.write(w, new Uint8Array(3))
  host.read(r, new Uint8Array(2))
  expect(traced).toEqual(['write', 'put 3', '= 3', 'read', 'took 2', '= 2'])
})
