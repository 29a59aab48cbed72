/** Wrong options of a simulated world: each is refused by name, before there is a world. */

import { describe, expect, it } from 'vitest'
import { recordTimeline, SimulatedKernel } from '../../../lib/sim/index.ts'

describe('a simulated world', () => {
  it.for<[string, object]>([
    ['seed', { seed: '1' }],
    ['seed', { seed: Number.NaN }],
    ['seed', { seed: Number.POSITIVE_INFINITY }],
    ['scheduler', { scheduler: null }],
    ['scheduler.choose', { scheduler: {} }],
    ['stdio', { stdio: 'inherit' }],
    ['stdio[1]', { stdio: { 1: 2 } }],
    ['limits', { limits: 20 }],
    ['limits.nofile', { limits: { nofile: '20' } }],
    ['limits.core', { limits: { core: 1n } }],
    ['privileged', { privileged: 'yes' }],
    ['programs', { programs: [] }],
  ])('with a wrong %s is refused', ([name, options]) => {
    expect(() => new SimulatedKernel(options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining(`"options.${name}"`) }),
    )
  })

  it.for([
    ['nofile', Number.NaN],
    ['nofile', -1],
    ['core', 1.5],
    ['core', Number.NEGATIVE_INFINITY],
  ] as const)('with a limit %s of %d is refused', ([name, limit]) => {
    expect(() => new SimulatedKernel({ limits: { [name]: limit } })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', message: expect.stringContaining(`options.limits.${name}`) }),
    )
  })

  it.for([
    ...['', '/', '/bin/', '/bin', '/..', '/tmp/new/../..', '/bin/true/below', '/dev/null/below'],
    `/${'é'.repeat(128)}`,
    `/${'x/'.repeat(2048)}x`,
  ])('has no program at %j, which is no path of a file', path => {
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(() => new SimulatedKernel().install(path, function* () {})).toThrow(refused)
    expect(() => new SimulatedKernel({ programs: { [path]: function* () {} } })).toThrow(refused)
  })

  it('that refuses a program keeps its paths as they were', () => {
    const kernel = new SimulatedKernel()
    kernel.install('/new/program', function* () {})
    expect(() => kernel.install('/new/program/below/it', function* () {})).toThrow('/new/program')
    expect(() => kernel.install('/new', function* () {})).toThrow("'path' must be the path of a file")
    expect(kernel.run('/new/program').status.code).toBe(0)
    expect(() => kernel.run('/new')).toThrow(expect.objectContaining({ code: 'EACCES' }))
  })

  it.for([undefined, null, 5, {}])('is what recordTimeline() takes, and not %o', world => {
    expect(() => recordTimeline(world as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  })
})

describe("a caller's own scheduler", () => {
  it.for<[unknown, string]>([
    [99, 'ERR_OUT_OF_RANGE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [0.5, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['0', 'ERR_INVALID_RETURN_VALUE'],
    [undefined, 'ERR_INVALID_RETURN_VALUE'],
  ])('that answers %o is told so', ([answer, code]) => {
    const world = new SimulatedKernel({ scheduler: { choose: () => answer as number } })
    const { host } = world
    host.fork({ actions: [{ op: 'exit', code: 0 }] })
    expect(() => host.pipe2()).toThrow(expect.objectContaining({ code, message: expect.stringContaining('choose()') }))
  })
})
