/** setSignalInfo(): what the signal of a stop carries is the tracer's to change. */

import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { startThreads } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { until } from '../support/processes.ts'

const title = `what a signal carries${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const queued = -1

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('is changed', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'signal-origin')
  const sendValue = compile(folder, 'send-value')

  /** The program once it is ready, and at the stop of a SIGUSR1 with the value 4242. */
  async function atSignal(trace: 'traceme' | 'seize') {
    const started = await startThreads(program, [], { trace, follow: 'threads' })
    const { tracee, text } = started
    tracee.cont()
    await until('the program is ready', () => text() === 'ready\n')
    execFileSync(sendValue, [String(tracee.pid), '10', '4242'])
    expect(await tracee.wait()).toMatchObject({ signal: 'SIGUSR1' })
    return started
  }

  it.each(tracings)('is seen changed by the handler (%s)', async trace => {
    const { tracee, text } = await atSignal(trace)
    await using _ = tracee
    const info = tracee.signalInfo()
    expect(info).toMatchObject({ signal: 'SIGUSR1', code: queued, value: 4242n })
    const bytes = info.bytes.slice()
    const view = new DataView(bytes.buffer)
    view.setInt32(8, -3, true)
    view.setInt32(24, 99, true)
    tracee.setSignalInfo(bytes)
    expect(tracee.signalInfo()).toMatchObject({ signal: 'SIGUSR1', code: -3, value: 99n })
    tracee.cont('SIGUSR1')
    await until('the signal is handled', () => text() === 'ready\n10 -3 99\n')
    tracee.stdin?.end()
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  it.each(tracings)('is kept by a detach and a hand-off, changed as it is (%s)', async trace => {
    for (const how of ['detach', 'handOff'] as const) {
      const { tracee, text } = await atSignal(trace)
      await using _ = tracee
      const bytes = tracee.signalInfo().bytes.slice()
      new DataView(bytes.buffer).setInt32(24, 7, true)
      tracee.setSignalInfo(bytes)
      await tracee[how]()
      if (how === 'handOff') system.kill(tracee.pid, 'SIGCONT')
      await until('the signal is handled', () => text() === `ready\n10 ${queued} 7\n`)
      tracee.stdin?.end()
      expect(await tracee.exited).toMatchObject({ code: 0 })
    }
  })

  it.each(tracings)('is changed by its members, too (%s)', async trace => {
    const { tracee, text } = await atSignal(trace)
    await using _ = tracee
    const info = tracee.signalInfo()
    tracee.setSignalInfo({ ...info, code: -3, value: 2n ** 32n + 5n, uid: 2 ** 31 - 1 })
    expect(tracee.signalInfo()).toMatchObject({ code: -3, value: 2n ** 32n + 5n, uid: 2 ** 31 - 1, pid: info.pid })
    expect(info.value).toBe(4242n)
    for (const wrong of [{ code: 'x' }, { value: 5 }, { signal: 'SIGNONE' }, { bytes: undefined }]) {
      const code = expect.stringMatching('ERR_INVALID_ARG|ERR_UNKNOWN_SIGNAL')
      expect(() => tracee.setSignalInfo({ ...info, ...wrong } as never)).toThrow(expect.objectContaining({ code }))
    }
    tracee.cont('SIGUSR1')
    await until('the signal is handled', () => text() === 'ready\n10 -3 5\n')
    tracee.stdin?.end()
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })

  it('is given as signalInfo() gave it, and refused where there is none', async () => {
    const { tracee, text } = await atSignal('seize')
    await using _ = tracee
    tracee.setSignalInfo(tracee.signalInfo())
    expect(() => tracee.setSignalInfo(new Uint8Array(3))).toThrow(expect.objectContaining({ code: expect.any(String) }))
    expect(() => tracee.setSignalInfo({} as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
    const info = tracee.signalInfo()
    const unknown = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })
    for (const wrong of [{ vaule: 5n }, { architecture: 'arm' }]) {
      expect(() => tracee.setSignalInfo({ ...info, ...wrong } as never)).toThrow(unknown)
    }
    tracee.cont('SIGUSR1')
    await until('the signal is handled', () => text() === `ready\n10 ${queued} 4242\n`)
    expect(() => tracee.setSignalInfo(info)).toThrow(expect.objectContaining({ code: 'ESRCH' }))
    tracee.stdin?.end()
    expect(await tracee.run()).toMatchObject({ code: 0 })
  })
})
