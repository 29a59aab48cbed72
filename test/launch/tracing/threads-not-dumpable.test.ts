/** Threads of a program that an ordinary user may run and not attach to; and of a launcher that may not seize. */

import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { stateOf, until } from '../support/processes.ts'

const skip = whyNoCompiler ?? whyNoOrdinaryUser
const title = `the threads of a program that is not dumpable${skip === undefined ? '' : ` [skipped: ${skip}]`}`

describeNative(title, () => {
  if (skip !== undefined) return it.skip('are traced', () => {})
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  const program = compile(folder, 'many-threads', ['-pthread'])
  chmodSync(program, 0o755)
  // May be executed, not read.
  const unreadable = join(folder, 'unreadable')
  copyFileSync(program, unreadable)
  chmodSync(unreadable, 0o711)
  const behind = asNobody ?? []

  /** Runs the program in all that its threads may go through, and reports it. */
  const script = (file: string, args: readonly string[], options: object) => `
    const tracee = await launch(${JSON.stringify(file)}, ${JSON.stringify(args)}, { stdio: ['pipe', 'pipe', 'inherit'], ...${JSON.stringify(options)} })
    const until = async (what, holds) => {
      for (const end = performance.now() + 20_000; !holds(); await new Promise(resolve => setTimeout(resolve, 1))) if (performance.now() > end) throw new Error(what)
    }
    const tids = () => fs.readdirSync('/proc/' + tracee.pid + '/task')
    const states = () => new Set(tids().map(tid => fs.readFileSync('/proc/' + tid + '/stat', 'latin1').split(') ').at(-1)[0]))
    let text = ''
    tracee.stdout.on('data', chunk => { text += chunk })
    const seen = {}
    tracee.cont()
    const passing = (async () => {
      for await (const { thread, stop } of tracee.everyStop()) {
        const kind = stop.reason ?? stop.event ?? stop.signal
        seen[kind] = (seen[kind] ?? 0) + 1
        thread.cont(stop.event ? undefined : stop.signal)
      }
    })()
    await until('ready', () => /^ready .*\\n/.test(text))
    const births = seen.birth ?? 0
    const stopped = []
    for (let i = 0; i < 5; i++) {
      await tracee.stopAll({ timeoutMs: 10_000 })
      stopped.push([...states()].join(''))
      tracee.contAll()
      await until('they go on', () => !states().has('t'))
    }
    for (const tid of tids()) openSystem().tgkill(tracee.pid, Number(tid), 'SIGWINCH')
    // Of threads that are not shown, the main one's alone is given.
    await until('signals', () => seen.SIGWINCH === births + 1)
    tracee.stdin.write('h')
    await until('calls', () => text.split('hit\\n').length - 1 === 10)
    const { tracing } = tracee
    tracee.stdin.end()
    const { code } = await tracee.exited
    await passing
    report({ tracing, births, stopped, code })`

  const programs = [
    ['of mode 0711', unreadable, ['10']],
    ['by PR_SET_DUMPABLE', program, ['10', 'sleep', 'undumpable']],
  ] as const
  const ways = tracings.flatMap(trace => programs.map(([kind, file, args]) => ({ trace, kind, file, args })))

  it.each(ways)(
    'are stopped, let go and signalled by an ordinary user ($trace, $kind)',
    async ({ trace, file, args }) => {
      const ran = await runNode(script(file, args, { trace, follow: 'threads' }), { behind })
      expect(ran.stderr).toBe('')
      expect(ran.reports).toEqual([{ tracing: trace, births: 10, stopped: Array(5).fill('t'), code: 7 }])
    },
  )

  it.each(ways)('are traced by an ordinary user, and not shown ($trace, $kind)', async ({ trace, file, args }) => {
    const ran = await runNode(script(file, args, { trace }), { behind })
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([{ tracing: trace, births: 0, stopped: Array(5).fill('t'), code: 7 }])
  })

  it.each(ways)('end with the launcher of an ordinary user ($trace, $kind)', async ({ trace, file, args }) => {
    const killed = script(file, args, { trace, follow: 'threads' }).replace(
      "await until('signals'",
      "report(tids().map(Number)); process.kill(process.pid, 'SIGKILL'); await until('signals'",
    )
    const ran = await runNode(killed, { behind })
    expect(ran.signal).toBe('SIGKILL')
    const [tids] = ran.reports as [number[]]
    expect(tids.length).toBe(11)
    await until('all are gone', () => tids.every(tid => 'goneZ'.includes(stateOf(tid))))
  })

  // setuid(2) makes a process one that is not dumpable, until its next exec.
  const change = 'process.setgroups([]); process.setgid(65534); process.setuid(65534);'
  it.skipIf(process.getuid?.() !== 0)('are traced by ‘traceme’ where the launcher is not dumpable', async () => {
    for (const [file, args] of [
      [program, ['10']],
      [unreadable, ['10']],
    ] as const) {
      const ran = await runNode(change + script(file, args, { follow: 'threads' }))
      expect(ran.stderr).toBe('')
      expect(ran.reports).toEqual([{ tracing: 'traceme', births: 10, stopped: Array(5).fill('t'), code: 7 }])
    }
    const refused = await runNode(
      `${change} report(await outcome(launch('/bin/true', [], { follow: 'threads', trace: 'seize' })))`,
    )
    expect(refused.reports).toEqual([expect.objectContaining({ code: 'EPERM', step: 'seize' })])
  })

  it.each(tracings)('memory of it is refused with the reason; it is disposed of all the same (%s)', async trace => {
    // Its owner may not read it either.
    const closed = join(folder, `closed-${trace}`)
    copyFileSync(program, closed)
    chmodSync(closed, 0o111)
    const ran = await runNode(
      `
        const tracee = await launch(${JSON.stringify(closed)}, ['2', 'sleep'], { trace: '${trace}', stdio: 'ignore' })
        const { pc } = tracee.registers()
        for (const call of [() => tracee.readMemory(pc, 8), () => tracee.writeMemory(pc, Uint8Array.of(0)), () => tracee.breakpoint(pc)]) {
          report(await outcome((async () => call())()))
        }
        await tracee[Symbol.asyncDispose]()
        report((await tracee.exited).signal)
      `,
      { behind },
    )
    const refused = { code: 'EPERM', message: expect.stringContaining('it is not dumpable') }
    expect(ran.reports, ran.stderr).toMatchObject([refused, refused, refused, 'SIGKILL'])
  })
})
