/** A tracee from stop to stop: cont, step, syscall, interrupt, and the ways of waiting. */

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { openSystem } from '../../../lib/open-system.ts'
import type { WaitStatus } from '../../../lib/system/wait-status.ts'
import { rescueFromBlocking } from '../../support/rescue.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { stateOf, statusOf, untilState } from '../support/processes.ts'
import { x64Registers } from '../support/registers.ts'

const syscallStop = (phase: 'entry' | 'exit') => ({ kind: 'stopped', signal: 'SIGTRAP', event: 'syscall', phase })
const signalStop = (signal: string) => ({ kind: 'stopped', signal })
const isX64 = process.arch === 'x64'

/** The next stop, by the given kind of wait. */
type NextStop = (tracee: Tracee) => WaitStatus | Promise<WaitStatus>
const waits: readonly { readonly by: string; readonly next: NextStop }[] = [
  { by: 'wait', next: tracee => tracee.wait() },
  { by: 'waitSync', next: tracee => tracee.waitSync() },
]
const ways = tracings.flatMap(trace => waits.map(wait => ({ trace, ...wait })))

describeNative('a tracee', () => {
  rescueFromBlocking()

  it.each(ways)('waits at the stop it is at, and reports it again ($trace, $by)', async ({ trace, next }) => {
    await using tracee = await launch('/bin/true', [], { trace })
    const exec = { kind: 'stopped', signal: 'SIGTRAP', event: 'exec' }
    expect(await next(tracee)).toEqual(exec)
    expect(await next(tracee)).toEqual(exec)
    expect(tracee.stop).toEqual(exec)
  })

  it.each(ways)('continued runs to its end ($trace, $by)', async ({ trace, next }) => {
    await using tracee = await launch('/bin/sh', ['-c', 'exit 9'], { trace })
    tracee.cont()
    expect(tracee.stop).toBeNull()
    expect(await next(tracee)).toMatchObject({ kind: 'exited', code: 9 })
    expect(await next(tracee), 'and is reported again').toMatchObject({ kind: 'exited', code: 9 })
    expect(tracee.stop).toBeNull()
  })

  it.skipIf(!isX64).each(ways)('steps one instruction ($trace, $by)', async ({ trace, next }) => {
    await using tracee = await launch('/bin/true', [], { trace })
    // The dynamic loader begins with five instructions without a loop.
    const seen = new Set([tracee.registers().pc])
    for (let i = 1; i <= 5; i++) {
      tracee.step()
      expect(await next(tracee)).toEqual(signalStop('SIGTRAP'))
      seen.add(tracee.registers().pc)
      expect(seen.size, `after ${i} steps`).toBe(i + 1)
    }
    expect(await tracee.run(), 'the SIGTRAP of a step is not the program’s').toMatchObject({ code: 0 })
  })

  it.skipIf(!isX64).each(ways)(
    'stops at each entry and exit of a system call ($trace, $by)',
    async ({ trace, next }) => {
      await using tracee = await launch('/bin/true', [], { trace })
      const calls: bigint[] = []
      tracee.syscall()
      for (let stop = await next(tracee); stop.kind === 'stopped'; stop = await next(tracee)) {
        expect(stop).toEqual(syscallStop(calls.length % 2 === 0 ? 'entry' : 'exit'))
        calls.push(x64Registers(tracee).orig_rax)
        tracee.syscall()
      }
      // Pairs of entry and exit, and an exit_group without an exit. The execve is missing, because its entry was
      // not shown.
      expect(calls.pop()).toBe(231n)
      expect(calls.length % 2).toBe(0)
      for (let i = 0; i < calls.length; i += 2) expect(calls[i]).toBe(calls[i + 1])
      expect(calls.length).toBeGreaterThan(4)
      expect(calls).not.toContain(59n)
      expect(await tracee.exited).toMatchObject({ code: 0 })
    },
  )

  it.each(tracings)('interrupted while it runs, stops; continued, goes on (%s)', async trace => {
    await using tracee = await launch('/bin/cat', [], { trace })
    tracee.cont()
    await untilState(tracee.pid, 'S')
    for (let i = 0; i < 3; i++) {
      tracee.interrupt()
      const stop = await tracee.wait()
      expect(stop).toEqual(
        trace === 'seize'
          ? { kind: 'stopped', signal: 'SIGTRAP', event: 'stop', reason: 'interrupt' }
          : signalStop('SIGSTOP'),
      )
      expect(stateOf(tracee.pid)).toBe('t')
      tracee.cont()
    }
    tracee.stdin?.end()
    expect(await tracee.wait()).toMatchObject({ kind: 'exited', code: 0 })
  })

  it.each(tracings)('interrupted within run() goes on by itself (%s)', async trace => {
    await using tracee = await launch('/bin/cat', [], { trace })
    const end = tracee.run()
    await untilState(tracee.pid, 'S')
    tracee.interrupt()
    await once(tracee, 'stop')
    tracee.stdin?.end()
    expect(await end).toMatchObject({ code: 0 })
  })

  it.each(tracings)('execing again stops at each exec (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', 'exec sh -c "exec true"'], { trace })
    const execs: string[] = []
    for await (const stop of tracee.stops()) {
      if (stop.event === 'exec') execs.push(stop.signal)
      tracee.cont(stop.event ? undefined : stop.signal)
    }
    expect(execs.length).toBe(3)
  })

  it('is waited for anew after it was sent on by a request of System’s own', async () => {
    const system = openSystem('native')
    await using tracee = await launch('/bin/sh', ['-c', 'kill -USR1 $$; exit 3'], { system })
    system.ptraceCont(tracee.pid)
    expect(await tracee.wait()).toEqual(signalStop('SIGUSR1'))
    system.ptraceCont(tracee.pid)
    expect(tracee.waitSync()).toMatchObject({ kind: 'exited', code: 3 })
  })

  it.each(['Tracee', 'System'] as const)('listens in its group stop, by %s', async by => {
    const system = openSystem('native')
    await using tracee = await launch('/bin/sh', ['-c', 'kill -STOP $$; exit 3'], { system, trace: 'seize' })
    tracee.cont()
    expect(await tracee.wait()).toEqual(signalStop('SIGSTOP'))
    tracee.cont('SIGSTOP')
    expect(await tracee.wait()).toEqual({ ...signalStop('SIGSTOP'), event: 'stop', reason: 'group' })
    if (by === 'Tracee') tracee.listen()
    else system.ptraceListen(tracee.pid)
    await expect(tracee.wait({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    expect(tracee.stop).toBeNull()
    system.kill(tracee.pid, 'SIGCONT')
    expect(await tracee.wait()).toMatchObject({ event: 'stop', signal: 'SIGTRAP', reason: 'continued' })
    expect(await tracee.run()).toMatchObject({ code: 3 })
  })

  it('listens nowhere else than in a group stop of a seized tracee', async () => {
    for (const trace of tracings) {
      await using tracee = await launch('/bin/true', [], { trace })
      expect(() => tracee.listen()).toThrow(expect.objectContaining({ code: 'EIO' }))
      expect(tracee.stop).toMatchObject({ event: 'exec' })
    }
  })

  it.skipIf(!isX64).each(tracings)('steps by one instruction from a later exec too (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', 'exec /bin/true'], { trace })
    tracee.cont()
    expect(await tracee.wait()).toMatchObject({ event: 'exec' })
    const { pc } = tracee.registers()
    tracee.step()
    expect(await tracee.wait()).toEqual(signalStop('SIGTRAP'))
    expect(tracee.registers().pc).not.toBe(pc)
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  it.skipIf(!isX64).each(tracings)('stops at the exit of an exec whose entry was shown (%s)', async trace => {
    await using tracee = await launch('/bin/sh', ['-c', 'exec /bin/true'], { trace })
    let entries = 0
    for (;;) {
      tracee.syscall()
      const stop = await tracee.wait()
      if (stop.kind !== 'stopped') expect.unreachable('it ended without another exec')
      if (stop.event === 'exec') break
      if (stop.event === 'syscall' && x64Registers(tracee).orig_rax === 59n) entries++
    }
    expect(entries % 2).toBe(1)
    tracee.syscall()
    expect(await tracee.wait()).toEqual(syscallStop('exit'))
    expect(x64Registers(tracee)).toMatchObject({ rax: 0n, orig_rax: 59n })
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  it.skipIf(whyNoCompiler !== undefined).each(tracings)(
    'whose other thread execs stays traced, and is interrupted (%s)',
    async trace => {
      const program = compile(temporaryFolder(), 'thread-exec', ['-pthread'])
      await using tracee = await launch(program, ['/bin/cat'], { trace })
      tracee.cont()
      await untilState(tracee.pid, 'S')
      tracee.stdin?.write('x')
      const stop = await tracee.wait()
      expect(stop).toMatchObject({ kind: 'stopped', event: 'exec', formerTid: expect.any(Number) })
      expect(stop).not.toMatchObject({ formerTid: tracee.pid })
      expect(readFileSync(`/proc/${tracee.pid}/comm`, 'latin1')).toBe('cat\n')
      expect(statusOf(tracee.pid, 'TracerPid')).not.toBe(0)
      tracee.cont()
      tracee.interrupt()
      await tracee.wait({ timeoutMs: 20_000 })
      tracee.cont()
      tracee.stdin?.end('y')
      expect(await tracee.exited).toMatchObject({ code: 0 })
    },
  )

  it('waited for with a deadline or a signal loses nothing when these come first', async () => {
    await using tracee = await launch('/bin/cat')
    tracee.cont()
    await expect(tracee.wait({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'ERR_TIMED_OUT' })
    const abort = new AbortController()
    const waiting = tracee.wait({ signal: abort.signal })
    abort.abort('enough')
    await expect(waiting).rejects.toBe('enough')
    await expect(tracee.wait({ signal: AbortSignal.abort('before') })).rejects.toBe('before')
    tracee.kill('SIGUSR1')
    expect(await tracee.wait()).toEqual(signalStop('SIGUSR1'))
  })

  it('waited for many times at once resolves every wait', async () => {
    await using tracee = await launch('/bin/cat')
    tracee.cont()
    const waiting = [tracee.wait(), tracee.wait(), tracee.wait({ timeoutMs: 20_000 })]
    tracee.kill('SIGUSR1')
    expect(await Promise.all(waiting)).toEqual([signalStop('SIGUSR1'), signalStop('SIGUSR1'), signalStop('SIGUSR1')])
  })

  it.skipIf(whyNoCompiler !== undefined)('refuses to be continued twice, with ESRCH', async () => {
    await using tracee = await launch(compile(temporaryFolder(), 'launch-signals'))
    tracee.cont()
    const notStopped = expect.objectContaining({ code: 'ESRCH', pid: tracee.pid })
    for (const request of ['cont', 'step', 'syscall', 'listen', 'registers'] as const) {
      expect(() => tracee[request](), request).toThrow(notStopped)
    }
    expect(tracee.stop).toBeNull()
  })

  it.each([
    ['a signal that is none', (tracee: Tracee) => tracee.cont('SIGNONE' as never), 'ERR_UNKNOWN_SIGNAL'],
    ['a signal of a wrong type', (tracee: Tracee) => tracee.step({} as never), 'ERR_INVALID_ARG_TYPE'],
    ['a fraction of a signal', (tracee: Tracee) => tracee.cont(1.5), 'ERR_OUT_OF_RANGE'],
    ['a signal beyond the kernel’s', (tracee: Tracee) => tracee.cont(999), 'EIO'],
    ['an address of a wrong type', (tracee: Tracee) => tracee.readMemory(5 as never, 1), 'ERR_INVALID_ARG_TYPE'],
    ['a negative length', (tracee: Tracee) => tracee.readMemory(0n, -1), 'ERR_OUT_OF_RANGE'],
    ['bytes of a wrong type', (tracee: Tracee) => tracee.writeMemory(0n, 'x' as never), 'ERR_INVALID_ARG_TYPE'],
    [
      'a register that is none',
      (tracee: Tracee) => tracee.setRegisters({ nope: 1n } as never),
      'ERR_INVALID_ARG_VALUE',
    ],
  ])('refuses %s and stays at its stop', async (_, request, code) => {
    await using tracee = await launch('/bin/true')
    expect(() => request(tracee)).toThrow(expect.objectContaining({ code }))
    expect(tracee.stop).toMatchObject({ event: 'exec' })
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })
})
