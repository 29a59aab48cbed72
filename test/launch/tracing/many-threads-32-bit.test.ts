/** Breakpoints, steps and watched addresses in a 32-bit program of many threads. */

import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { describeWatching } from '../support/debug-registers.ts'
import { hitAll, startThreads, untilReady } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const folder = temporaryFolder()
const count = 20
// Debian's gcc-multilib has a link to that folder, and cannot be installed beside a cross compiler.
const flags = ['-m32', '-pthread', '-I/usr/include/x86_64-linux-gnu']

function compileFor32(): string | undefined {
  if (process.arch !== 'x64') return 'it is written for x64'
  if (whyNoCompiler !== undefined) return whyNoCompiler
  try {
    const program = compile(folder, 'many-threads', flags)
    return spawnSync(program, { input: '' }).status === 7 ? undefined : 'this kernel runs no 32-bit programs'
  } catch {
    return 'there are no 32-bit libraries (gcc-multilib)'
  }
}

const skip = compileFor32()
const ways = tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow })))

describeNative(`a 32-bit program${skip === undefined ? '' : ` [skipped: ${skip}]`}`, () => {
  if (skip !== undefined) return it.skip('stops at a breakpoint', () => {})
  const program = compile(folder, 'many-threads', flags)

  it.each(ways)('stops in each thread at a breakpoint, and goes on over it ($trace, follow $follow)', async way => {
    const started = await startThreads(program, [String(count)], way)
    await using tracee = started.tracee
    const { hit } = await untilReady(started)
    const hits = () => started.stops.filter(stop => stop.trap !== undefined)
    const code = tracee.readMemory(hit, 8)
    const breakpoint = tracee.breakpoint(hit)
    expect(tracee.readMemory(hit, 8)).toEqual(code)
    await hitAll(started, count)
    expect(hits().length).toBe(count)
    expect(hits()[0]).toEqual({ kind: 'stopped', signal: 'SIGTRAP', trap: { kind: 'breakpoint', address: hit } })
    await hitAll(started, count)
    expect(hits().length).toBe(2 * count)
    breakpoint[Symbol.dispose]()
    await hitAll(started, count)
    expect(hits().length).toBe(2 * count)
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)(
    'steps over a breakpoint, with the pc at its address before and behind it after (%s)',
    async trace => {
      const started = await startThreads(program, ['1'], { trace, follow: 'threads' })
      await using tracee = started.tracee
      const { pc, architecture } = tracee.registers()
      expect(architecture).toBe('ia32')
      using _ = tracee.breakpoint(pc)
      const seen = [pc]
      for (let i = 0; i < 5; i++) {
        tracee.step()
        expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
        seen.push(tracee.registers().pc)
      }
      expect(new Set(seen).size).toBeGreaterThan(3)
      tracee.setRegisters({ pc })
      tracee.step()
      expect(await tracee.wait()).toMatchObject({ signal: 'SIGTRAP' })
      expect(tracee.registers().pc).toBe(seen[1])
    },
  )

  it.each(tracings)('stops at the entry and the exit of a call by its 32-bit number (%s)', async trace => {
    const started = await startThreads(program, ['1'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    tracee.syscall()
    expect(await tracee.wait()).toMatchObject({ event: 'syscall', phase: 'entry' })
    // brk, the first call of the dynamic linker.
    expect(tracee.syscallInfo()).toMatchObject({ architecture: 'ia32', phase: 'entry', number: 45 })
    tracee.syscall()
    expect(await tracee.wait()).toMatchObject({ event: 'syscall', phase: 'exit' })
    expect(tracee.syscallInfo()).toMatchObject({ architecture: 'ia32', phase: 'exit', isError: false })
  })

  /** Lets it go in each way, with a breakpoint in it that it comes to. */
  async function isLetGo(trace: 'traceme' | 'seize', prepare: (tracee: Tracee, watched: bigint) => void) {
    for (const how of ['detach', 'handOff'] as const) {
      const started = await startThreads(program, ['5'], { trace, follow: 'threads' })
      await using tracee = started.tracee
      const { hit, watched } = await untilReady(started)
      tracee.breakpoint(hit)
      await tracee.stopAll()
      prepare(tracee, watched)
      tracee.contAll()
      await tracee[how]()
      if (how === 'handOff') tracee.kill('SIGCONT')
      await hitAll(started, 5)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    }
  }

  it.each(tracings)('is let go with a breakpoint in it (%s)', trace => isLetGo(trace, () => {}))

  describeWatching('with debug registers', () => {
    it.each(ways)('stops in each thread that writes to a watched address ($trace, follow $follow)', async way => {
      const started = await startThreads(program, [String(count)], way)
      await using tracee = started.tracee
      const { watched, hit } = await untilReady(started)
      await tracee.stopAll()
      const watch = tracee.watch(watched, { size: 4, on: 'write' })
      const executed = tracee.watch(hit, { size: 1, on: 'execute' })
      tracee.contAll()
      await hitAll(started, count)
      const traps = (on: string) => started.stops.filter(stop => stop.trap?.kind === 'watch' && stop.trap.on === on)
      expect(traps('write').length).toBe(count)
      expect(traps('write')[0]?.trap?.address).toBe(watched)
      expect(traps('execute').length).toBe(count)
      watch[Symbol.dispose]()
      executed[Symbol.dispose]()
      await hitAll(started, count)
      expect(traps('write').length).toBe(count)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    })

    it.each(tracings)('is let go with a breakpoint and a watched address in it (%s)', trace =>
      isLetGo(trace, (tracee, watched) => tracee.watch(watched, { size: 4, on: 'access' })),
    )
  })
})
