/** Breakpoints in memory that a child shares with its parent: for as long as both are traced. */

import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { until, untilInVfork } from '../support/processes.ts'

const title = `a child that shares the memory${whyNoCompiler === undefined ? '' : ` [skipped: ${whyNoCompiler}]`}`

describeNative(title, () => {
  if (whyNoCompiler !== undefined) return it.skip('has the breakpoints', () => {})
  const program = compile(temporaryFolder(), 'shared-memory')

  /** A program that is at the birth of its child, with a breakpoint that both will come to. */
  async function atBirth(trace: 'traceme' | 'seize', how: 'vfork' | 'clone' | 'exec') {
    const tracee = await launch(program, [how], { trace, follow: 'all', stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    tracee.stdout.on('data', chunk => {
      text += chunk
    })
    tracee.cont()
    await until('the program is ready', () => text.endsWith('\n'))
    await tracee.stopAll()
    tracee.breakpoint(BigInt(text.split(' ')[1]!.trim()))
    tracee.contAll()
    tracee.stdin.write('s')
    const stop = await tracee.wait()
    expect(stop.kind === 'stopped' && stop.child).toBeDefined()
    if (how !== 'exec') tracee.cont()
    const [child] = tracee.children.values()
    expect(await child?.wait()).toMatchObject({ reason: 'birth' })
    return { tracee, child: child! }
  }

  it.each(tracings)('has none once its parent is let go, which they would kill (%s)', async trace => {
    const { tracee, child } = await atBirth(trace, 'clone')
    await using _ = tracee
    child.cont()
    await tracee.detach()
    const run = child.run()
    tracee.stdin.write('h')
    expect(await tracee.exited).toMatchObject({ code: 7 })
    expect(await run).toMatchObject({ code: 3 })
  })

  it.each(tracings)('has none once it is let go, and its parent has them after a vfork (%s)', async trace => {
    const { tracee, child } = await atBirth(trace, 'vfork')
    await using _ = tracee
    await untilInVfork(tracee.pid)
    await child.detach()
    tracee.stdin.write('h')
    const traps: unknown[] = []
    for await (const stop of tracee.stops()) {
      if (stop.trap !== undefined) traps.push(stop.trap.kind)
      tracee.cont(stop.event || stop.trap ? undefined : stop.signal)
    }
    expect(traps).toEqual(['breakpoint'])
    expect(await tracee.exited).toMatchObject({ code: 7 })
  })

  it.each(tracings)('keeps no thread from going on from one, once it has memory of its own (%s)', async trace => {
    const { tracee, child } = await atBirth(trace, 'exec')
    await using _ = tracee
    child.syscall()
    expect(await child.wait()).toMatchObject({ event: 'syscall', phase: 'entry' })
    using breakpoint = tracee.breakpoint(tracee.registers().pc)
    expect(breakpoint).toBeDefined()
    // Its exec is reported before it stops for the other one to go on.
    child.cont()
    tracee.cont()
    expect(await child.wait()).toMatchObject({ event: 'exec' })
    child.cont()
    expect(await tracee.run()).toMatchObject({ code: 7 })
  })
})
