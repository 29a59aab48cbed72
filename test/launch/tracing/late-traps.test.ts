/** The trap of a step over a breakpoint, where an interrupt comes before the kernel reports it. */

import { expect, it } from 'vitest'
import { rounds } from '../../support/rounds.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { startThreads } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { until } from '../support/processes.ts'

const title = `stopAll() beside breakpoints${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`
const threadCount = 12

describeNative(title, system => {
  if (whyNoCompiler !== undefined) return it.skip('traces', () => {})
  const program = compile(temporaryFolder(), 'many-threads', ['-pthread'])

  it.each(tracings)('leaves no trap that is not the breakpoint’s, among ignored signals (%s)', async trace => {
    const { tracee, text } = await startThreads(program, [`${threadCount}`], { trace, follow: 'threads' })
    await using _ = tracee
    const loop = (async () => {
      let stops = 0
      for await (const { thread, stop } of tracee.everyStop()) {
        const signal = stop.event || stop.trap ? undefined : stop.signal
        expect(signal).not.toBe('SIGTRAP')
        if (++stops % 7 === 0) await tracee.stopAll().then(() => tracee.contAll())
        thread.cont(signal)
      }
    })()
    await until('the program is ready', () => text().startsWith('ready'))
    await tracee.stopAll()
    tracee.breakpoint(BigInt(/ready (0x\w+)/.exec(text())?.[1] ?? 0))
    tracee.contAll()
    let isOver = false
    void (async () => {
      for (; !isOver; await system.sleep(1)) tracee.kill('SIGURG')
    })()
    for (let round = 1; round <= rounds(60, 300); round++) {
      tracee.stdin?.write('h')
      const hits = () => text().split('hit\n').length - 1
      await Promise.race([loop, until('every thread has called', () => hits() === round * threadCount)])
    }
    isOver = true
    tracee.stdin?.end('x')
    await loop
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })
})
