/** Stops for system calls that a seccomp filter hands to the tracer, SECCOMP_RET_TRACE. */

import { constants } from 'node:os'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { syscallNumber } from '../../../lib/syscall-names.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf } from '../support/processes.ts'
import { filterOf, traceWith } from '../support/seccomp.ts'
import { textOf } from '../support/streams.ts'

const { ENOSYS } = constants.errno
const data = 0xbeef
const seccomp = filterOf(['getppid'], traceWith(data))
const number = syscallNumber('getppid', process.arch as 'x64')

const title = `a call that a seccomp filter hands to the tracer${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('stops', () => {})
  const program = compile(temporaryFolder(), 'asks-parent', ['-pthread'])

  async function start(options: { trace: 'traceme' | 'seize'; follow: 'threads' | 'all' | false }) {
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    const tracee = await launch(program, [], { ...options, seccomp, noNewPrivileges: true, stdio })
    return { tracee: tracee as unknown as Tracee, output: textOf(tracee.stdout) }
  }

  it.each(tracings.flatMap(trace => (['threads', 'all'] as const).map(follow => ({ trace, follow }))))(
    'stops each thread before the call is made, with the data of the filter ($trace, follow $follow)',
    async way => {
      const { tracee, output } = await start(way)
      await using _ = tracee
      const tids: number[] = []
      tracee.stdin?.end('\n')
      tracee.cont()
      for await (const { thread, stop } of tracee.everyStop({ events: ['seccomp'] })) {
        if (stop.event === 'seccomp') {
          tids.push(thread.tid)
          expect(stop).toEqual({ kind: 'stopped', signal: 'SIGTRAP', event: 'seccomp', data })
          expect(thread.syscallInfo()).toMatchObject({ phase: 'seccomp', number, data, architecture: process.arch })
        }
        thread.cont(stop.event ? undefined : stop.signal)
      }
      expect(await output).toBe(`${process.pid}\n`.repeat(2))
      expect(tids.length).toBe(2)
      expect(tids[0]).not.toBe(tids[1])
      expect(tids[1]).toBe(tracee.pid)
      expect(await tracee.exited).toMatchObject({ code: 0 })
    },
  )

  it.each(tracings)('goes on to the exit of the call by syscall(), from its stop (%s)', async trace => {
    const { tracee, output } = await start({ trace, follow: 'threads' })
    await using _ = tracee
    const exits: unknown[] = []
    tracee.stdin?.end('\n')
    tracee.cont()
    for await (const { thread, stop } of tracee.everyStop({ events: ['seccomp'] })) {
      if (stop.event === 'seccomp') {
        thread.syscall()
        expect(await thread.wait()).toMatchObject({ event: 'syscall', phase: 'exit' })
        exits.push(thread.syscallInfo())
        thread.cont()
      } else thread.cont(stop.event ? undefined : stop.signal)
    }
    const exit = expect.objectContaining({ phase: 'exit', result: BigInt(process.pid), isError: false })
    expect(exits).toEqual([exit, exit])
    await output
  })

  it.skipIf(process.arch !== 'x64').each(tracings)(
    'is another one, or none, where its number is changed (%s)',
    async trace => {
      const { tracee, output } = await start({ trace, follow: 'threads' })
      await using _ = tracee
      let calls = 0
      tracee.stdin?.end('\n')
      tracee.cont()
      for await (const { thread, stop } of tracee.everyStop({ events: ['seccomp'] })) {
        if (stop.event === 'seccomp' && calls++ === 0) {
          thread.setRegisters({ orig_rax: BigInt(syscallNumber('getpid', 'x64') ?? 0) })
        } else if (stop.event === 'seccomp')
          thread.setRegisters({ orig_rax: 2n ** 64n - 1n, rax: BigInt(-ENOSYS) & (2n ** 64n - 1n) })
        thread.cont(stop.event ? undefined : stop.signal)
      }
      expect(await output).toBe(`${tracee.pid}\n${-ENOSYS}\n`)
    },
  )

  it.each(tracings.flatMap(trace => (['threads', 'all', false] as const).map(follow => ({ trace, follow }))))(
    'fails with ENOSYS where no loop asks for it, as without a tracer ($trace, follow $follow)',
    async way => {
      const { tracee, output } = await start(way)
      await using _ = tracee
      const end = tracee.run()
      tracee.stdin?.end('\n')
      expect(await output).toBe(`${-ENOSYS}\n`.repeat(2))
      expect(await end).toMatchObject({ code: 0 })
    },
  )

  it.each(tracings)('fails with ENOSYS again once the loop is over (%s)', async trace => {
    const { tracee, output } = await start({ trace, follow: 'threads' })
    await using _ = tracee
    // The exec event alone.
    for await (const { thread, stop } of tracee.everyStop({ events: ['seccomp'] })) {
      thread.cont(stop.event ? undefined : stop.signal)
      break
    }
    const end = tracee.run()
    tracee.stdin?.end('\n')
    expect(await output).toBe(`${-ENOSYS}\n`.repeat(2))
    expect(await end).toMatchObject({ code: 0 })
  })

  it.each(tracings)('fails with ENOSYS where it has stopped just before the loop ended (%s)', async trace => {
    const stdio = ['ignore', 'pipe', 'inherit'] as const
    // The shell calls it before anything else.
    const options = { trace, follow: 'threads', seccomp, noNewPrivileges: true, stdio } as const
    await using tracee = await launch('/bin/sh', ['-c', 'echo $PPID'], options)
    const output = textOf(tracee.stdout)
    for await (const { thread } of (tracee as unknown as Tracee).everyStop({ events: ['seccomp'] })) {
      thread.cont()
      while (stateOf(tracee.pid) !== 't') {}
      break
    }
    const end = tracee.run()
    expect(await output).toBe(`${-ENOSYS}\n`)
    expect(await end).toMatchObject({ code: 0 })
  })
})
