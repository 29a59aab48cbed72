/** breakpoint() and watch(): in every thread, over and over. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { describeWatching } from '../support/debug-registers.ts'
import { getppid, nop, systemCallBytes, write8 } from '../support/machine-code.ts'
import { hitAll, startThreads, untilReady } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { until } from '../support/processes.ts'

const title = `a breakpoint${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const ways = tracings.flatMap(trace => (['threads', false] as const).map(follow => ({ trace, follow })))
const count = 50
const nopBytes = BigInt(nop.length)

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('stops', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'many-threads', ['-pthread'])

  it.each(ways)('stops every thread that comes to it, which goes on over it ($trace, follow $follow)', async way => {
    const started = await startThreads(program, [String(count)], way)
    await using tracee = started.tracee
    const { hit } = await untilReady(started)
    const original = tracee.readMemory(hit, 8)
    const hits = () => started.stops.filter(stop => stop.trap !== undefined)
    using once = tracee.breakpoint(hit)
    using again = tracee.breakpoint(hit)
    expect(tracee.readMemory(hit, 8), 'it is not seen in memory').toEqual(original)
    await hitAll(started, count)
    expect(hits().length).toBe(count)
    expect(new Set(hits().map(stop => JSON.stringify(stop.trap?.kind)))).toEqual(new Set(['"breakpoint"']))
    expect(hits()[0]).toEqual({ kind: 'stopped', signal: 'SIGTRAP', trap: { kind: 'breakpoint', address: hit } })
    once[Symbol.dispose]()
    await hitAll(started, count)
    expect(hits().length, 'it was set twice').toBe(2 * count)
    again[Symbol.dispose]()
    await hitAll(started, count)
    expect(hits().length).toBe(2 * count)
    tracee.stdin?.end()
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('is stepped over many times with one timer, while other threads run (%s)', async trace => {
    const started = await startThreads(program, ['5'], { trace, follow: 'threads' })
    await using tracee = started.tracee
    tracee.cont()
    let births = 0
    for await (const { thread, stop } of tracee.everyStop()) {
      thread.cont()
      if (stop.reason === 'birth' && ++births === 5) break
    }
    await until('the program is ready', () => started.text().includes('ready'))
    const pc = BigInt(/ready (0x\w+)/.exec(started.text())?.[1] ?? 0)
    tracee.interrupt()
    await tracee.wait()
    // From the stop of a signal it would go into the breakpoint, and from a read that is begun anew, behind it.
    tracee.setRegisters({ pc })
    tracee.step()
    await tracee.wait()
    using _ = tracee.breakpoint(pc)
    const timers = () => process.getActiveResourcesInfo().filter(each => each === 'Timeout').length
    const before = timers()
    for (let steps = 0; steps < 100; steps++) {
      tracee.setRegisters({ pc })
      tracee.step()
      expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    }
    // That of a look for the main thread's end is another one.
    expect(timers() - before).toBeLessThanOrEqual(2)
  })

  it.each(tracings)('has the pc at its address, and is stepped over (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { pc } = tracee.registers()
    using _ = tracee.breakpoint(pc)
    tracee.step()
    expect(await tracee.wait()).toEqual({ kind: 'stopped', signal: 'SIGTRAP' })
    expect(tracee.registers().pc).not.toBe(pc)
    tracee.setRegisters({ pc: tracee.registers().pc })
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  it.each(tracings)('is told of each step that comes to it (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { pc } = tracee.registers()
    tracee.writeMemory(pc, Uint8Array.of(...nop, ...nop, ...nop))
    using _ = tracee.breakpoint(pc + nopBytes)
    const stop = { kind: 'stopped', signal: 'SIGTRAP' }
    tracee.step()
    expect(await tracee.wait()).toEqual({ ...stop, trap: { kind: 'breakpoint', address: pc + nopBytes } })
    tracee.step()
    expect(await tracee.wait()).toEqual(stop)
    expect(tracee.registers().pc).toBe(pc + 2n * nopBytes)
  })

  it.each(tracings)('is not needed to step on from a system call (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { pc } = tracee.registers()
    tracee.writeMemory(pc, Uint8Array.of(...getppid, ...nop, ...nop))
    const behind = pc + BigInt(getppid.length)
    const seen: bigint[] = []
    for (let step = 0; step < 4; step++) {
      tracee.step()
      await tracee.wait()
      seen.push(tracee.registers().pc)
    }
    expect(seen).toEqual([behind - BigInt(systemCallBytes), behind, behind + nopBytes, behind + 2n * nopBytes])
  })

  it.each(tracings)('is told of a step over a system call that comes to it (%s)', async trace => {
    await using tracee = await launch('/bin/true', [], { trace })
    const { pc } = tracee.registers()
    tracee.writeMemory(pc, Uint8Array.of(...getppid, ...nop))
    const behind = pc + BigInt(getppid.length)
    using _ = tracee.breakpoint(behind)
    const seen: unknown[] = []
    for (let step = 0; step < 3; step++) {
      tracee.step()
      const stop = await tracee.wait()
      seen.push(stop.kind === 'stopped' && stop.trap)
    }
    expect(seen).toEqual([undefined, { kind: 'breakpoint', address: behind }, undefined])
    expect(tracee.registers().pc).toBe(behind + nopBytes)
  })

  it('is where it is written, too: what is written there is the program’s afterwards', async () => {
    await using tracee = await launch('/bin/true')
    const { pc } = tracee.registers()
    const breakpoint = tracee.breakpoint(pc)
    const original = tracee.readMemory(pc, 4)
    expect(tracee.writeMemory(pc, Uint8Array.of(0x90, 0x90, 0x90, 0x90))).toBe(4)
    breakpoint[Symbol.dispose]()
    expect([...tracee.readMemory(pc, 4)]).toEqual([0x90, 0x90, 0x90, 0x90])
    tracee.writeMemory(pc, original)
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  it('where nothing is mapped is refused with EFAULT', async () => {
    await using tracee = await launch('/bin/true')
    expect(() => tracee.breakpoint(0n)).toThrow(expect.objectContaining({ code: 'EFAULT' }))
    expect(() => tracee.breakpoint(5 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  })

  it.each(tracings)('is not in the children that are not followed (%s)', async trace => {
    // A fork, and a vfork that shares the memory until its exec.
    const script =
      'import os, subprocess\nprint("ready", flush=True)\ninput()\nsubprocess.run(["/bin/true"])\npid = os.fork()\nif pid == 0: os._exit(0)\nprint(os.waitpid(pid, 0)[1])'
    const tracee = await launch('/usr/bin/env', ['python3', '-c', script], {
      trace,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await using _ = tracee
    let text = ''
    tracee.stdout.on('data', chunk => {
      text += chunk
    })
    void (async () => {
      for await (const stop of tracee.stops()) tracee.cont(stop.event || stop.trap ? undefined : stop.signal)
    })()
    await until('it is ready', () => text.startsWith('ready'))
    const maps = (await import('node:fs')).readFileSync(`/proc/${tracee.pid}/maps`, 'latin1')
    const libc = /^(\w+)-\w+ r-xp .*libc\.so/m.exec(maps)?.[1]
    if (libc !== undefined) tracee.breakpoint(BigInt(`0x${libc}`))
    tracee.stdin.end('\n')
    expect(await tracee.exited).toMatchObject({ code: 0 })
    expect(text).toBe('ready\n0\n')
  })

  it.each(ways)(
    'a running thread is not watched, and no bytes that no register takes ($trace, follow $follow)',
    async way => {
      const started = await startThreads(program, ['1'], way)
      await using tracee = started.tracee
      const { watched } = await untilReady(started)
      expect(() => tracee.watch(watched, { size: 4, on: 'write' })).toThrow(expect.objectContaining({ code: 'ESRCH' }))
      await tracee.stopAll()
      expect(() => tracee.watch(watched, { size: 3 as never, on: 'write' })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
      expect(() => tracee.watch(watched, { size: 4, on: 'read' as never })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
    },
  )

  describeWatching('beside watched addresses', () => {
    it.each(tracings)(
      'hides no watched write: of its own instruction, of a step, or right before it (%s)',
      async trace => {
        await using tracee = await launch('/bin/true', [], { trace })
        const { pc, sp } = tracee.registers()
        tracee.writeMemory(pc, Uint8Array.of(...write8(-64), ...nop, ...nop))
        using _ = tracee.watch(sp - 64n, { size: 8, on: 'write' })
        const write = { kind: 'watch', address: sp - 64n, on: 'write' }
        const traps = async (...goings: ('step' | 'cont')[]) => {
          tracee.setRegisters({ pc })
          const seen: unknown[] = []
          for (const going of goings) {
            tracee[going]()
            const stop = await tracee.wait()
            seen.push(stop.kind === 'stopped' && stop.trap)
          }
          return seen
        }
        expect(await traps('step', 'step')).toEqual([write, undefined])
        const at = tracee.breakpoint(pc)
        expect(await traps('cont')).toEqual([write])
        at[Symbol.dispose]()
        const address = pc + BigInt(write8(-64).length)
        using behind = tracee.breakpoint(address)
        expect(behind).toBeDefined()
        expect(await traps('cont', 'cont')).toEqual([write, { kind: 'breakpoint', address }])
        expect(await traps('step', 'step')).toEqual([write, { kind: 'breakpoint', address }])
      },
    )

    it.each(ways)('a write to a watched address stops each thread ($trace, follow $follow)', async way => {
      const started = await startThreads(program, [String(count)], way)
      await using tracee = started.tracee
      const { watched } = await untilReady(started)
      await tracee.stopAll()
      const watch = tracee.watch(watched, { size: 4, on: 'write' })
      tracee.contAll()
      await hitAll(started, count)
      const hits = () => started.stops.filter(stop => stop.trap?.kind === 'watch')
      await until('each has stopped', () => hits().length === count)
      expect(hits()[0]?.trap).toEqual({ kind: 'watch', address: watched, on: 'write' })
      watch[Symbol.dispose]()
      await hitAll(started, count)
      expect(hits().length).toBe(count)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 7 })
    })

    it('four addresses are watched at once, a fifth is refused, and threads to come are watched', async () => {
      const started = await startThreads(program, ['3'], { trace: 'seize', follow: 'threads' })
      await using tracee = started.tracee
      const { sp } = tracee.registers()
      const watches = [0n, 8n, 16n, 24n].map(offset => tracee.watch(sp - 4096n + offset, { size: 8, on: 'write' }))
      expect(() => tracee.watch(sp, { size: 8, on: 'access' })).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
      for (const watch of watches) watch[Symbol.dispose]()
      expect(() => tracee.watch(sp + 1n, { size: 8, on: 'write' })).toThrow(expect.objectContaining({ code: 'EINVAL' }))
      const { pc } = tracee.registers()
      using _ = tracee.watch(pc, { size: 1, on: 'execute' })
      const { watched } = await untilReady(started)
      await tracee.stopAll()
      using later = tracee.watch(watched, { size: 4, on: 'access' })
      expect(later).toBeDefined()
      tracee.contAll()
      await hitAll(started, 3)
      expect(started.stops.filter(stop => stop.trap?.on === 'access').length).toBeGreaterThanOrEqual(3)
    })
  })
})
