/**
 * Group stops under run(), of programs that an ordinary user may not attach to. They stay traced and bound to
 * their launcher, and are resumed.
 */

import { chmodSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { startThreads } from '../support/many-threads.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { asNobody, runNode, whyNoOrdinaryUser } from '../support/node.ts'
import { stateOf, statusOf, until } from '../support/processes.ts'

const skip = whyNoCompiler ?? whyNoOrdinaryUser
const title = `a group stop under run()${skip === undefined ? '' : ` [skipped: ${skip}]`}`

describeNative(title, system => {
  if (skip !== undefined) return it.skip('is kept', () => {})
  const folder = temporaryFolder()
  const program = compile(folder, 'not-dumpable')
  // An ordinary user must be able to read the folder.
  chmodSync(folder, 0o755)

  const script = (trace: string, then: string) => `
    const tracee = await launch(${JSON.stringify(program)}, [], { trace: '${trace}', stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    tracee.stdout.on('data', chunk => { text += chunk })
    const closed = once(tracee, 'close')
    const end = tracee.run()
    const status = () => fs.readFileSync('/proc/' + tracee.pid + '/status', 'latin1')
    const until = async holds => { while (!holds()) await new Promise(resolve => setTimeout(resolve, 1)) }
    await until(() => /^State:\\t[tT]/m.test(status()) && text === 'before\\n')
    // The stop before the signal's delivery has passed, too, once the group is stopped.
    await until(() => /^TracerPid:\\t[1-9]/m.test(status()))
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
    ${then}
    const { code, signal } = await end
    await closed
    report({ code, signal, text })
  `

  it.each(tracings)('of an ordinary user’s program that is not dumpable ends with SIGCONT (%s)', async trace => {
    const ran = await runNode(script(trace, "process.kill(tracee.pid, 'SIGCONT')"), { behind: asNobody ?? [] })
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([{ code: 5, signal: null, text: 'before\nafter\n' }])
  })

  it.each(tracings)('of such a program ends with SIGKILL (%s)', async trace => {
    const ran = await runNode(script(trace, "tracee.kill('SIGKILL')"), { behind: asNobody ?? [] })
    expect(ran.stderr).toBe('')
    expect(ran.reports).toEqual([{ code: null, signal: 'SIGKILL', text: 'before\n' }])
  })

  it.each(tracings)('of such a program ends with its launcher, to which it stays bound (%s)', async trace => {
    const ran = await runNode(script(trace, "report(tracee.pid); process.kill(process.pid, 'SIGKILL')"), {
      behind: asNobody ?? [],
    })
    const [pid] = ran.reports as [number]
    expect(ran.signal).toBe('SIGKILL')
    await until('the program has ended', () => 'goneZ'.includes(stateOf(pid)))
  })

  it.each(tracings)('leaves the tracee traced, and may be left by cont() or detach() (%s)', async trace => {
    for (const how of ['cont', 'detach'] as const) {
      await using tracee = await launch(program, [], { trace, stdio: ['ignore', 'pipe', 'inherit'] })
      const groupStop = new Promise<void>(resolve => {
        let stops = 0
        tracee.on('stop', () => ++stops === 2 && resolve())
      })
      const end = tracee.run()
      await groupStop
      expect(statusOf(tracee.pid, 'TracerPid')).toBe(threadOfThis())
      if (trace === 'seize') {
        // The tracee listens (PTRACE_LISTEN): an interruption makes it a stop again.
        await until('it listens', () => tracee.stop === null)
        system.kill(tracee.pid, 'SIGCONT')
      } else {
        expect(tracee.stop).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
        if (how === 'cont') tracee.cont()
        else {
          await tracee.detach()
          system.kill(tracee.pid, 'SIGCONT')
        }
      }
      expect(await end).toMatchObject({ code: 5 })
    }
  })

  const threadOfThis = () => Number(/(\d+)$/.exec(readFileSync('/proc/thread-self/stat', 'latin1').split(' ')[0]!)?.[1])
})

describeNative('a group stop of many threads under run()', () => {
  if (whyNoCompiler !== undefined) return it.skip('ends with detach()', () => {})
  const program = compile(temporaryFolder(), 'many-threads', ['-pthread'])

  // The run keeps them in their group stop: an unhandled failure of its wait would end this process.
  it.each(tracings.flatMap(trace => (['detach', 'handOff'] as const).map(way => ({ trace, way }))))(
    'is left by $way(), stopped ($trace)',
    async ({ trace, way }) => {
      const { tracee, text } = await startThreads(program, ['4', 'sleep'], { trace, follow: 'threads' })
      await using _ = tracee
      const end = tracee.run()
      await until('the program is ready', () => text().startsWith('ready'))
      process.kill(tracee.pid, 'SIGSTOP')
      await until('all are stopped', () => [...tracee.threads.keys()].every(tid => stateOf(tid) === 't'))
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
      await tracee[way]()
      await until('all are left stopped', () => stateOf(tracee.pid) === 'T')
      for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
      process.kill(tracee.pid, 'SIGKILL')
      expect(await end).toMatchObject({ signal: 'SIGKILL' })
    },
  )
})
