/** The ignored and blocked signals that a program starts with. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { openSystem } from '../../../lib/open-system.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { describeNative } from '../../support/describe-native.ts'

/** A program's SigBlk and SigIgn, from /proc. */
async function signalsOf(options: LaunchOptions): Promise<{ blocked: string; ignored: string }> {
  const system = openSystem('native')
  const child = await launch('/bin/cat', ['/proc/self/status'], { system, trace: false, ...options })
  let text = ''
  for await (const chunk of child.stdout!) text += chunk
  await child.exited
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\w+)$`, 'm').exec(text)![1]!
  return { blocked: field('SigBlk'), ignored: field('SigIgn') }
}

describeNative('launch()', () => {
  it.each(['shared', 'copied'] as const)(
    'starts a program with no signal ignored or blocked (%s memory)',
    async memory => {
      expect(await signalsOf({ memory })).toEqual({ blocked: '0000000000000000', ignored: '0000000000000000' })
    },
  )

  it.each(['shared', 'copied'] as const)(
    'ignores and blocks the signals that it is given (%s memory)',
    async memory => {
      const ignoreSignals = ['SIGHUP', 'SIGPIPE', 32, 'SIGRTMAX'] as const
      expect(await signalsOf({ memory, ignoreSignals, signalMask: ['SIGINT', 33, 'SIGRTMIN'] })).toEqual({
        blocked: '0000000300000002',
        ignored: '8000000080001001',
      })
    },
  )

  it('leaves SIGKILL and SIGSTOP unblocked, as the kernel does', async () => {
    expect((await signalsOf({ signalMask: ['SIGKILL', 'SIGSTOP', 'SIGTERM'] })).blocked).toBe('0000000000004000')
  })

  it('launches a traced program that ignores and blocks every signal', async () => {
    const signals = Array.from({ length: 64 }, (_, index) => index + 1)
    const ignoreSignals = signals.filter(signal => signal !== 9 && signal !== 19)
    const options = { system: openSystem('native'), ignoreSignals, signalMask: signals }
    const tracee = await launch('/bin/true', [], options)
    expect(await tracee.run()).toMatchObject({ kind: 'exited', code: 0 })
  })
})

it('a simulated program starts with the signals ignored and blocked that launch() was given', async () => {
  const kernel = new SimulatedKernel()
  let blocked: readonly unknown[] = []
  kernel.install('/bin/signalled', function* (process) {
    yield* process.kill(process.pid, 'SIGTERM')
    blocked = yield* process.sigprocmask('block', [])
    return 5
  })
  const options = { system: kernel.host, ignoreSignals: ['SIGTERM'], signalMask: ['SIGINT', 'SIGKILL'] } as const
  const tracee = await launch('/bin/signalled', [], options)
  expect(await tracee.run()).toMatchObject({ kind: 'exited', code: 5 })
  expect(blocked).toEqual([2])
})

it.each([
  [{ ignoreSignals: 'SIGHUP' }, 'ERR_INVALID_ARG_TYPE', 'options.ignoreSignals'],
  [{ ignoreSignals: ['SIGHUP', 'SIGNONE'] }, 'ERR_UNKNOWN_SIGNAL', 'in "options.ignoreSignals[1]": SIGNONE'],
  [{ ignoreSignals: ['SIGHUP', 'SIGKILL'] }, 'ERR_INVALID_ARG_VALUE', 'options.ignoreSignals[1]'],
  [{ signalMask: [0] }, 'ERR_OUT_OF_RANGE', 'options.signalMask[0]'],
  [{ signalMask: [65] }, 'ERR_OUT_OF_RANGE', 'options.signalMask[0]'],
  [{ signalMask: [null] }, 'ERR_INVALID_ARG_TYPE', 'options.signalMask[0]'],
])('launch() refuses %j before anything happened', async (options, code, what) => {
  const system = new SimulatedKernel().host
  const refused = launch('/bin/true', [], { system, ...options } as LaunchOptions)
  await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(what) })
})
