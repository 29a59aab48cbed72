import { describe, expect, it } from 'vitest'
import { explore, type Program, ProgramError, SimulatedKernel } from '../../../lib/sim/index.ts'
import { bytes, constants } from '../world.ts'

const listener = { ready: () => {}, failed: () => {} }

/** Each makes a call of the host in the code of a program. */
const hostCalls: [what: string, call: (kernel: SimulatedKernel) => unknown][] = [
  ["the host's call read()", ({ host }) => host.read(0, bytes(1))],
  ["the host's call pipe2()", ({ host }) => host.pipe2()],
  ["the host's call ready()", ({ host }) => host.ready(0, constants.POLLIN)],
  ["the host's call watch()", ({ host }) => host.watch(0, constants.POLLIN, listener)],
  ["the host's call sleep()", ({ host }) => host.sleep(1)],
  ["the host's call onChildChange()", ({ host }) => host.onChildChange(() => {})],
  ["the host's call now()", ({ host }) => host.now()],
  ['kernel.run()', kernel => kernel.run('/bin/true')],
  ['kernel.settle()', kernel => kernel.settle()],
]

describe('a call of the host in the code of a program', () => {
  it.for(hostCalls)('ends that program with an error that says so: %s', ([what, call]) => {
    const kernel = new SimulatedKernel()
    const { status, crash } = kernel.run(function* (process) {
      yield* process.schedYield()
      call(kernel)
    })
    expect(status.signal).toBe('SIGABRT')
    expect(crash?.error).toBeInstanceOf(ProgramError)
    const message = `${what} is made in the code of 101 (/run/program)`
    expect(crash?.error).toMatchObject({ code: 'ERR_INVALID_PROGRAM', message: expect.stringContaining(message) })
    // Nothing was done, and the host goes on.
    expect(kernel.host.pipe2()).toEqual([3, 4])
  })

  it.for<[string, (cell: { value: number }) => unknown, string]>([
    ['load', cell => cell.value, 'process.load(cell)'],
    [
      'store',
      cell => {
        cell.value = 1
      },
      'process.store(cell, value)',
    ],
  ])('may be a %s of a cell, which no race would show', async ([, access, remedy]) => {
    const { failure } = await explore(({ kernel }) => {
      const cell = kernel.cell(0, 'counter')
      const accesses: Program = function* (process) {
        yield* process.thread(function* (self) {
          yield* self.schedYield()
          access(cell)
        })
        access(cell)
      }
      kernel.run(accesses)
      expect(cell.value).toBe(0)
    })
    expect(failure?.kind).toBe('error')
    expect(failure?.error.message).toContain("the host's access to counter")
    expect(failure?.error.message).toContain(remedy)
  })

  it('is allowed again after a scheduler has failed in a step', () => {
    let fails = false
    const choose = () => {
      if (fails) throw new Error('no choice')
      return 0
    }
    const kernel = new SimulatedKernel({ scheduler: { choose } })
    kernel.install('/raises', function* (process) {
      yield* process.sigprocmask('block', ['SIGUSR1'])
      yield* process.raise('SIGUSR1')
      fails = true
      yield* process.sigprocmask('unblock', ['SIGUSR1'])
      yield* process.schedYield()
    })
    expect(() => kernel.run('/raises')).not.toThrow(ProgramError)
    expect(kernel.host.pipe2()).toHaveLength(2)
  })
})
