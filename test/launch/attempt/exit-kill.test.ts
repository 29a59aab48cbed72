/** What becomes of a followed tree when its tracer ends: killed with it, or let go. */

import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { compile, temporaryFolder, whyNoCompiler } from '../support/compile.ts'
import { tracings } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { reportsOf, startNode, whyNot } from '../support/node.ts'
import { running, stateOf, statusOf, until } from '../support/processes.ts'

const skip = whyNoCompiler ?? whyNot('cc')
const title = `a followed tree${skip === undefined ? '' : ` [skipped: ${skip}]`}`

// Three processes of two threads each, and one that is a child by vfork; all wait.
const script = 't(p)f(t(p)f(t(p)v(p)p)p)p'
const processes = 4
const tasks = 7

describeNative(title, system => {
  if (skip !== undefined) return it.skip('ends with its tracer', () => {})
  const program = compile(temporaryFolder(), 'threads')

  afterEach(() => {
    for (const pid of running(program)) system.kill(pid, 'SIGKILL')
  })

  /** Launches the tree in another process, and reports once all of it waits: `how` stands in the loop's place. */
  const source = (options: object, body: string) => `
    const tasksOf = tree => [tree, ...[...tree.children.values()].flatMap(tasksOf)]
    const tracee = await launch(${JSON.stringify(program)}, [${JSON.stringify(script)}], { stdio: 'ignore', ...${JSON.stringify(options)} })
    const state = tid => { try { return fs.readFileSync('/proc/' + tid + '/stat', 'latin1').split(') ').at(-1)[0] } catch { return 'gone' } }
    const all = () => tasksOf(tracee).flatMap(each => [...each.threads.keys()])
    const pause = () => new Promise(resolve => setTimeout(resolve, 1))
    tracee.run()
    while (all().length < ${tasks} || !all().every(tid => 'SD'.includes(state(tid)))) await pause()
    ${body}
    report(all().map(tid => ({ tid, state: state(tid) })))
    await new Promise(resolve => process.stdin.once('data', resolve))
    AT_END`

  async function startTree(options: object, body: string, atEnd = '') {
    const node = startNode(source(options, body).replace('AT_END', atEnd))
    const closed = once(node, 'exit')
    const errors = once(node.stderr!, 'data')
    errors.catch(() => {})
    const reports = reportsOf(node)
    const { value } = await reports.next()
    return { node, closed, states: value as { tid: number; state: string }[] }
  }

  // Not what waits for its vfork child, in D: a SIGSTOP that is on its way there would stop it after its tracer's end.
  const stopAll = 'for (const each of tasksOf(tracee)) if (state(each.pid) !== "D") await each.stopAll()'

  const tids = () => running(program).flatMap(pid => readdirSync(`/proc/${pid}/task`).map(Number))

  it.each(tracings.flatMap(trace => ['runs', 'stops'].map(how => ({ trace, how }))))(
    'is killed with its tracer, whether it runs or is at stops ($trace, it $how)',
    async ({ trace, how }) => {
      const body = how === 'runs' ? '' : stopAll
      const { node, closed, states } = await startTree({ trace, follow: 'all' }, body)
      expect(running(program).length).toBe(processes)
      expect(states.length).toBe(tasks)
      if (how === 'stops') expect(states.filter(({ state }) => state === 't').length).toBeGreaterThan(tasks - 3)
      for (const tid of tids()) expect(statusOf(tid, 'TracerPid')).not.toBe(0)
      node.kill('SIGKILL')
      expect(await closed).toEqual([null, 'SIGKILL'])
      await until('all are gone', () => running(program).length === 0)
    },
  )

  it.each(tracings.flatMap(trace => ['runs', 'stops'].map(how => ({ trace, how }))))(
    'lives on without exitKill, and none of it is left stopped ($trace, it $how)',
    async ({ trace, how }) => {
      const body = how === 'runs' ? '' : stopAll
      for (const end of ['SIGKILL', 'process.exit(3)']) {
        const { node, closed } = await startTree(
          { trace, follow: 'all', exitKill: false },
          body,
          end === 'SIGKILL' ? '' : end,
        )
        expect(tids().length).toBe(tasks)
        if (end === 'SIGKILL') node.kill('SIGKILL')
        else node.stdin?.end('x')
        await closed
        await until('all are let go', () => tids().every(tid => statusOf(tid, 'TracerPid') === 0))
        await until('all go on', () => tids().every(tid => 'SD'.includes(stateOf(tid))))
        expect(tids().length).toBe(tasks)
        expect(running(program).length).toBe(processes)
        for (const pid of running(program)) system.kill(pid, 'SIGKILL')
        await until('all are gone', () => running(program).length === 0)
      }
    },
  )

  const setBreakpoint =
    'tracee.breakpoint(BigInt("0x" + /^(\\w+)-\\w+ r-xp/m.exec(fs.readFileSync("/proc/" + tracee.pid + "/maps", "latin1"))[1]))'
  const busy = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);'
  const interrupt = 'for (const each of tasksOf(tracee)) void each.stopAll().catch(() => {});'
  const signal =
    'for (const each of tasksOf(tracee)) for (const thread of each.threads.values()) thread.kill("SIGWINCH");'
  const moments = [
    ['interrupts are under way', '', interrupt],
    ['interrupts have stopped it, unseen', '', `${interrupt} ${busy}`],
    ['signals have stopped it, and interrupts are behind them', '', `${signal} ${busy} ${interrupt}`],
    ['it has a breakpoint, and interrupts are under way', setBreakpoint, interrupt],
    ['it has a breakpoint, and interrupts are behind signals', setBreakpoint, `${signal} ${busy} ${interrupt}`],
  ] as const

  it.each(tracings.flatMap(trace => moments.map(([when, body, atEnd]) => ({ trace, when, body, atEnd }))))(
    'lives on without exitKill, where Node exits as $when ($trace)',
    async ({ trace, body, atEnd }) => {
      const options = { trace, follow: 'all', exitKill: false }
      const { node, closed } = await startTree(options, body, `${atEnd} process.exit(4)`)
      expect(tids().length).toBe(tasks)
      node.stdin?.end('x')
      expect(await closed).toEqual([4, null])
      await until('all are let go', () => tids().every(tid => statusOf(tid, 'TracerPid') === 0))
      await until('all go on', () => tids().every(tid => 'SD'.includes(stateOf(tid))))
      expect(tids().length).toBe(tasks)
    },
  )
})
