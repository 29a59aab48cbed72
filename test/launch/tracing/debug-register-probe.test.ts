/** The probe of the debug registers, on a child of this process, and watch(), which goes by its result. */

import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { tryDebugRegisters } from '../../../lib/launch/tracing/memory/debug-register-probe.ts'
import { SystemError } from '../../../lib/system/errors.ts'
import type { System } from '../../../lib/system/system.ts'
import { whyNoDeadRegisters, whyNoDebugRegisters } from '../support/debug-registers.ts'
import { tracings } from '../support/modes.ts'
import { describeNative, withCalls } from '../support/native.ts'
import { runNode } from '../support/node.ts'

const skipped = (why: string | undefined) => (why === undefined ? '' : ` [skipped: ${why}]`)
const whyUnknown = whyNoDebugRegisters && whyNoDeadRegisters
const fire = whyNoDebugRegisters === undefined

/** The children of this process, and its descriptors. */
function owned(): { children: string[]; descriptors: string[] } {
  const tids = readdirSync('/proc/self/task')
  const children = tids.flatMap(tid => readFileSync(`/proc/self/task/${tid}/children`, 'latin1').split(' '))
  return { children: children.filter(Boolean), descriptors: readdirSync('/proc/self/fd') }
}

function refusing(): never {
  throw new SystemError({ errno: 'EPERM', syscall: 'ptrace' })
}

describeNative('a try of the debug registers', system => {
  it.skipIf(whyUnknown !== undefined)(`finds what a C program finds${skipped(whyUnknown)}`, () => {
    expect(tryDebugRegisters(system)).toBe(fire)
  })

  it.skipIf(whyUnknown !== undefined)(`is not misled by signals from elsewhere${skipped(whyUnknown)}`, () => {
    const signalled = withCalls(system, {
      ptraceSetOptions(pid, options) {
        system.ptraceSetOptions(pid, options)
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGTSTP'] as const) system.kill(pid, signal)
      },
    })
    expect(tryDebugRegisters(signalled)).toBe(fire)
  })

  it('leaves no child and no descriptor, and other children to who waits for them', async () => {
    const other = system.fork({ actions: [{ op: 'exit', code: 5 }] })
    const before = owned()
    tryDebugRegisters(system)
    expect(owned()).toEqual(before)
    expect(system.waitpid(other)).toMatchObject({ pid: other, status: { code: 5 } })
  })

  it.each<[string, Partial<System>]>([
    ['no options are set', { ptraceSetOptions: refusing }],
    ['no registers are read', { ptraceGetRegisters: refusing }],
    ['no debug register is set', { ptracePokeUser: refusing, ptraceSetRegisterSet: refusing }],
    ['the child does not go on', { ptraceCont: refusing }],
  ])('that is refused says nothing, and leaves no child, where %s', (_, calls) => {
    const before = owned()
    expect(() => tryDebugRegisters(withCalls(system, calls))).toThrow(expect.objectContaining({ code: 'EPERM' }))
    expect(owned()).toEqual(before)
  })

  it.each(['ptraceSetOptions', 'ptraceCont'] as const)('whose child is killed before %s says nothing', call => {
    const before = owned()
    const killed = withCalls(system, {
      [call](pid: number, argument: never) {
        system.kill(pid, 'SIGKILL')
        system[call](pid, argument)
      },
    })
    expect(() => tryDebugRegisters(killed)).toThrow(expect.objectContaining({ code: 'ESRCH' }))
    expect(owned()).toEqual(before)
  })
})

describeNative('watch()', system => {
  it('tries the debug registers once in a process, as soon as it can, and goes by what that shows', async () => {
    const { reports, stderr } = await runNode(`
      const real = openSystem('native')
      let [forks, isRefused] = [0, false]
      const fork = program => {
        forks++
        // Throws EBADF.
        if (isRefused) real.close(9000)
        return real.fork(program)
      }
      const system = new Proxy(real, {
        get(target, key) {
          if (key === 'fork') return fork
          const value = Reflect.get(target, key, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      const tracee = await launch('/bin/true', [], { system })
      const { sp } = tracee.registers()
      for (isRefused of [true, false, false]) {
        forks = 0
        try {
          tracee.watch(sp & ~7n, { size: 8, on: 'write' })
          report(['set', forks])
        } catch ({ code }) {
          report([code, forks])
        }
      }
      await tracee[Symbol.asyncDispose]()
    `)
    const found = tryDebugRegisters(system) ? 'set' : 'EOPNOTSUPP'
    expect({ reports, stderr }).toEqual({
      reports: [
        ['set', 1],
        [found, 1],
        [found, 0],
      ],
      stderr: '',
    })
  })

  it.skipIf(whyNoDeadRegisters !== undefined).each(tracings)(
    `is refused where debug registers never fire, and the program goes on (%s)${skipped(whyNoDeadRegisters)}`,
    async trace => {
      await using tracee = await launch('/bin/true', [], { trace, system })
      const { pc, sp } = tracee.registers()
      const refusal = expect.objectContaining({
        name: 'SystemError',
        code: 'EOPNOTSUPP',
        syscall: 'ptrace',
        message: expect.stringContaining('never fire'),
      })
      expect(() => tracee.watch(pc, { size: 1, on: 'execute' })).toThrow(refusal)
      expect(() => tracee.watch(sp & ~7n, { size: 8, on: 'write' })).toThrow(refusal)
      using _ = tracee.breakpoint(pc)
      expect(await tracee.run()).toMatchObject({ code: 0 })
    },
  )
})
