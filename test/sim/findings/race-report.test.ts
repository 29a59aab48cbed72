import { describe, expect, it } from 'vitest'
import { DataRaceError, SimulatedKernel } from '../../../lib/sim/index.ts'
import { bytes, exec, program } from '../world.ts'
import { racesOf, watched } from './run.ts'

describe('the report of a race', () => {
  it('names both accesses: task, call, value and cell', () => {
    const { kernel, host, detector } = watched()
    const ready = kernel.cell(false, 'ready')
    kernel.install('/child', self => self.store(ready, true))
    const child = host.fork(program(exec('/child')))
    kernel.settle()
    const loaded = ready.value
    const { race } = detector
    expect(race).toBeInstanceOf(DataRaceError)
    expect(race).toMatchObject({
      name: 'DataRaceError',
      code: 'ERR_DATA_RACE',
      cell: { name: 'ready' },
      accesses: [
        { pid: child, tid: child, name: `${child} (/child)`, call: 'store', value: true, number: 1 },
        { pid: 100, tid: 100, name: '100 (host)', call: 'load', value: loaded, number: 2 },
      ],
    })
    expect(race!.message).toBe(
      [
        'data race on ready: nothing orders these two accesses',
        '  101 (/child) store(ready, true), access 1 to it',
        '  100 (host) load(ready) = true, access 2 to it',
      ].join('\n'),
    )
  })

  it('calls a cell without a name by its number, and cuts long values', () => {
    const { kernel, host, detector } = watched()
    const cell = kernel.cell<unknown>(null)
    kernel.install('/child', self => self.store(cell, 'x'.repeat(100)))
    host.fork(program(exec('/child')))
    kernel.settle()
    const circular: { self?: unknown } = {}
    circular.self = circular
    cell.value = circular
    expect(detector.race!.message).toMatch(/data race on cell \d+:/)
    expect(detector.race!.message).toMatch(/store\(cell \d+, "x{39}…\)/)
    expect(detector.race!.message).toMatch(/store\(cell \d+, \[object Object\]\), access 2/)
  })

  it('names a thread as one, and a process by the program it ran then', () => {
    const { kernel, host, detector } = watched()
    const cell = kernel.cell(0)
    kernel.install('/next', function* (self) {
      yield* self.sleep(1)
    })
    kernel.install('/threads', function* (self) {
      const [r, w] = yield* self.pipe2()
      yield* self.thread(function* (thread) {
        yield* thread.store(cell, 1)
        yield* thread.write(w, bytes(1))
      })
      yield* self.store(cell, 2)
      yield* self.read(r, bytes(1))
      yield* self.execve('/next')
    })
    host.waitpid(host.fork(program(exec('/threads'))))
    const names = detector.race!.accesses.map(({ name }) => name).sort()
    expect(names).toEqual(['101 (/threads)', 'thread 102 of 101 (/threads)'])
  })

  it('is of the first race, after which nothing more is watched', () => {
    const { kernel, host, detector } = watched()
    const cells = [kernel.cell(0, 'first'), kernel.cell(0, 'second')]
    kernel.install('/child', function* (self) {
      for (const cell of cells) yield* self.store(cell, 1)
    })
    host.fork(program(exec('/child')))
    kernel.settle()
    expect(cells.map(cell => cell.value)).toEqual([1, 1])
    expect(detector.race!.cell.name).toBe('first')
    expect(detector.isOrdering).toBe(false)
  })
})

describe('a load that races only with an older load’s rival', () => {
  it('is found whichever access comes first in the run', async () => {
    const races = await racesOf(({ kernel, host }) => {
      const cell = kernel.cell(0)
      kernel.install('/loads', self => self.load(cell))
      kernel.install('/stores', self => self.store(cell, 1))
      const pids = ['/loads', '/stores'].map(path => host.fork(program(exec(path))))
      for (const pid of pids) host.waitpid(pid)
    })
    const orders = new Set(races.map(race => race!.accesses.map(({ call }) => call).join(' then ')))
    expect(orders).toEqual(new Set(['load then store', 'store then load']))
  })
})

describe('a detector', () => {
  it('keeps no clocks before a cell is used, however late that is, and orders what follows', () => {
    const { kernel, host, detector } = watched()
    const [r, w] = host.pipe2()
    host.write(w, bytes(2))
    host.read(r, bytes(1))
    expect(detector.isOrdering).toBe(false)
    const cell = kernel.cell(0)
    kernel.install('/child', function* (self) {
      yield* self.read(r, bytes(1))
      yield* self.read(r, bytes(1))
      yield* self.load(cell)
    })
    host.fork(program(exec('/child')))
    expect(detector.isOrdering).toBe(false)
    cell.value = 1
    expect(detector.isOrdering).toBe(true)
    // The byte from before carries nothing; this one does.
    host.write(w, bytes(1))
    kernel.settle()
    expect(detector.race).toBeUndefined()
  })

  it('does not take what was sent before the first access for an order', () => {
    const { kernel, host, detector } = watched()
    const [r, w] = host.pipe2()
    host.write(w, bytes(1))
    const cell = kernel.cell(0)
    kernel.install('/child', function* (self) {
      yield* self.sleep(1)
      yield* self.read(r, bytes(1))
      yield* self.load(cell)
    })
    const child = host.fork(program(exec('/child')))
    cell.value = 1
    host.waitpid(child)
    expect(detector.race).toBeDefined()
  })

  it('is not needed for the use of cells', () => {
    const kernel = new SimulatedKernel()
    const cell = kernel.cell(1)
    cell.value++
    expect(cell.value).toBe(2)
  })
})
