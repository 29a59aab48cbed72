/** Names in messages: a program's path and a cell's name come from outside. */

import { describe, expect, it } from 'vitest'
import { explore, type Scenario } from '../../../lib/sim/index.ts'
import { exec } from '../world.ts'

const path = '/bin/\u001b[31m\u202e\nred'
const escaped = '/bin/\\e[31m\\u202e\\nred'

const messageOf = async (scenario: Scenario) => (await explore(scenario)).failure!.error.message

/** A program of that path, and a call by which a child of the host is left in it. */
const runs: Scenario = ({ kernel, system }) => {
  kernel.install(path, function* (process) {
    yield* process.pause()
  })
  system.fork({ actions: [exec(path)] })
}

describe('a name with control characters is escaped in the message of', () => {
  it('a leak', async () => expect(await messageOf(runs)).toContain(escaped))

  it('a deadlock', async () => {
    const message = await messageOf(world => {
      void runs(world)
      world.system.waitpid(-1)
    })
    expect(message).toContain('deadlock')
    expect(message).toContain(escaped)
  })

  it('a race, as is a value', async () => {
    const message = await messageOf(({ kernel, system }) => {
      const cell = kernel.cell<unknown>(0, path)
      kernel.install('/bin/p', function* (process) {
        yield* process.store(cell, '\u009b31m')
      })
      const pid = system.fork({ actions: [exec('/bin/p')] })
      cell.value = Number.NaN
      system.waitpid(pid)
    })
    expect(message).toContain(`data race on ${escaped}`)
    expect(message).toContain('"\\x9b31m"')
    expect(message).toContain('NaN')
  })

  it('a run that differs', async () => {
    let runsSoFar = 0
    const message = await messageOf(({ system }) => {
      const pid = system.fork({ actions: [{ op: 'chdir', path: runsSoFar++ === 0 ? '/' : path }] })
      system.waitpid(pid)
    })
    expect(message).toContain(escaped)
  })
})

it('a value that no text can be made of does not end the report of its race', async () => {
  const message = await messageOf(({ kernel, system }) => {
    const odd: { self?: unknown } = Object.create(null)
    odd.self = odd
    const cell = kernel.cell<unknown>(0, 'odd')
    kernel.install('/bin/p', function* (process) {
      yield* process.store(cell, odd)
    })
    const pid = system.fork({ actions: [exec('/bin/p')] })
    cell.value = 1
    system.waitpid(pid)
  })
  expect(message).toContain('data race on odd')
})
