/**
 * Launches that hit limits or refusals: descriptors, processes, ptrace, rights. They run in separate Node
 * processes.
 */

import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { describeNative } from '../support/native.ts'
import { asNobody, reportsOf, runNode, startNode, whyNoOrdinaryUser, whyNot } from '../support/node.ts'

/** A script started by a shell that first sets a limit. */
const limited = (limit: string, script: string) => ({ behind: ['/bin/sh', '-c', `${limit}; exec "$0" "$@"`], script })
const tools = whyNot('prlimit') ?? whyNot('setpriv')
const strace = whyNot('strace')
const skipped = (why: string | undefined) => (why === undefined ? '' : ` [skipped: ${why}]`)

describeNative('a launch', () => {
  it.skipIf(whyNot('true') !== undefined)(
    'with any number of descriptors left fails with EMFILE or succeeds, and leaves nothing either way',
    async () => {
      const { behind, script } = limited(
        'ulimit -n 64',
        `
      openSystem()
      const results = []
      const state = () => JSON.stringify(descriptors().filter(([, target]) => /^(pipe|socket)/.test(target)))
      for (const trace of ['traceme', 'seize', false]) for (const isGated of [false, true]) {
        for (let free = 0; free <= 14; free++) {
          const fillers = []
          try { for (;;) fillers.push(fs.openSync('/dev/null')) } catch {}
          for (let i = 0; i < free; i++) fs.closeSync(fillers.pop())
          const result = await outcome(launch('/bin/sleep', ['60'], { trace, timeoutMs: 20000, ...(isGated && { beforeExec() {} }) }))
          await result.value?.[Symbol.asyncDispose]()
          const stillOpen = free - (() => { let n = 0; const more = []; try { for (;;) { more.push(fs.openSync('/dev/null')); n++ } } catch {} ; for (const fd of more) fs.closeSync(fd); return n })()
          for (const fd of fillers) fs.closeSync(fd)
          results.push({ free, code: result.value ? 'ok' : result.code, hasStep: result.value !== undefined || typeof result.step === 'string', stillOpen, children: childPids().length })
        }
      }
      report(results)`,
      )
      const ran = await runNode(script, { behind })
      const results = ran.reports[0] as {
        free: number
        code: string
        hasStep: boolean
        stillOpen: number
        children: number
      }[]
      expect(results, ran.stderr).toHaveLength(3 * 2 * 15)
      expect(new Set(results.map(result => result.code))).toEqual(new Set(['EMFILE', 'ok']))
      for (const result of results) {
        expect(result, JSON.stringify(result)).toMatchObject({ hasStep: true, children: 0 })
        // The loop opens its epoll and signal pipe once, and keeps them.
        expect(result.stillOpen, JSON.stringify(result)).toBeLessThanOrEqual(3)
      }
      expect(results.at(-1)).toMatchObject({ code: 'ok', stillOpen: 0 })
      expect(results[0]).toMatchObject({ free: 0, code: 'EMFILE' })
    },
  )

  it.skipIf(whyNot('true') !== undefined)(
    'that is the first of its process works once there are descriptors, never in the simulated system before',
    async () => {
      const { behind, script } = limited(
        'ulimit -n 64',
        `
      const fillers = []
      try { for (;;) fillers.push(fs.openSync('/dev/null')) } catch {}
      for (let i = 0; i < Number(process.env.FREE); i++) fs.closeSync(fillers.pop())
      const short = await outcome(launch('/bin/true', [], { trace: false, stdio: 'ignore' }))
      for (const fd of fillers) fs.closeSync(fd)
      const child = await launch('/bin/true', [], { trace: false, stdio: 'ignore' })
      report({ code: short.code, kind: openSystem().kind, exit: (await child.exited).code })`,
      )
      const codes: unknown[] = []
      for (const free of [0, 1]) {
        const ran = await runNode(script, { behind, env: { ...process.env, FREE: String(free), TRACEGATE_SYSTEM: '' } })
        expect(ran.reports[0], ran.stderr).toMatchObject({ kind: 'native', exit: 0 })
        codes.push((ran.reports[0] as { code: unknown }).code)
      }
      expect(codes).toEqual(['ERR_NATIVE_UNAVAILABLE', 'EMFILE'])
    },
  )

  it.skipIf(whyNot('true') !== undefined)(
    'with more entries of stdio than descriptors fails and leaves none open',
    async () => {
      const { behind, script } = limited(
        'ulimit -n 64',
        `
      await (await launch('/bin/true', [], { trace: false, stdio: 'ignore' })).exited
      const before = descriptors().length
      const stdio = Array.from({ length: 80 }, () => 'ignore')
      const codes = []
      for (let i = 0; i < 3; i++) codes.push((await outcome(launch('/bin/true', [], { stdio }))).code)
      report({ codes, left: descriptors().length - before })`,
      )
      const ran = await runNode(script, { behind })
      expect(ran.reports).toEqual([
        { codes: [expect.stringMatching(/^E(INVAL|MFILE)$/), expect.any(String), expect.any(String)], left: 0 },
      ])
    },
  )

  const noFork = tools ?? whyNoOrdinaryUser
  it.skipIf(noFork !== undefined)(`that may not fork rejects with EAGAIN at step fork${skipped(noFork)}`, async () => {
    const child = startNode(
      `
      await outcome(launch('/no/such', [], { trace: false }))
      report(process.pid)
      for await (const _ of process.stdin) {}
      const openPipes = () => descriptors().filter(([fd, target]) => fd > 2 && target.startsWith('pipe:')).length
      const before = openPipes()
      const results = []
      for (const trace of ['traceme', 'seize', false]) for (const memory of ['shared', 'copied']) results.push(await outcome(launch('/bin/true', [], { trace, memory })))
      report({ results, left: openPipes() - before, children: childPids() })
      process.exit()`,
      { behind: asNobody ?? [] },
    )
    const reports = reportsOf(child)
    const pid = (await reports.next()).value as number
    const [command = '', ...args] = [...(asNobody ?? []), 'prlimit', `--pid=${pid}`, '--nproc=1:1']
    execFileSync(command, args)
    child.stdin?.end()
    const result = (await reports.next()).value as { results: unknown[]; left: number; children: number[] }
    await new Promise(resolve => child.once('close', resolve))
    expect(result).toMatchObject({ left: 0, children: [] })
    expect(result.results).toHaveLength(6)
    for (const each of result.results) expect(each).toMatchObject({ code: 'EAGAIN', step: 'fork', errno: -11 })
  })

  it.skipIf(strace !== undefined)(
    `that may not be traced rejects with EPERM at the step of the tracing${skipped(strace)}`,
    async () => {
      const ran = await runNode(
        `
      const results = []
      for (const trace of ['traceme', 'seize']) for (const memory of ['shared', 'copied']) {
        results.push(await outcome(launch('/bin/true', [], { trace, memory, timeoutMs: 20000 })))
      }
      const untraced = await launch('/bin/true', [], { trace: false })
      report({ results, code: (await untraced.exited).code, children: childPids() })`,
        { behind: ['strace', '-f', '-qq', '-e', 'trace=none', '-e', 'signal=none', '-o', '/dev/null'] },
      )
      expect(ran.reports, ran.stderr).toHaveLength(1)
      const { results, code, children } = ran.reports[0] as { results: unknown[]; code: number; children: number[] }
      const refused = (step: string) => ({ name: 'SystemError', code: 'EPERM', step })
      expect(results).toMatchObject([refused('traceme'), refused('traceme'), refused('seize'), refused('seize')])
      expect({ code, children }).toEqual({ code: 0, children: [] })
    },
  )

  const ordinary = whyNoOrdinaryUser ?? whyNot('true')
  it.skipIf(ordinary !== undefined)(
    `by an ordinary user works, and meets EACCES where that user may not go${skipped(ordinary)}`,
    async () => {
      const ran = await runNode(
        `
      const codes = []
      for (const trace of ['traceme', 'seize', false]) for (const memory of ['shared', 'copied']) {
        const child = await launch('/bin/sh', ['-c', 'exit 3'], { trace, memory })
        child.cont?.()
        codes.push((await child.exited).code)
        for (const options of [{ cwd: '/root' }, { cwd: '/proc/1/cwd' }]) codes.push((await outcome(launch('/bin/true', [], { trace, memory, ...options }))).code)
        codes.push((await outcome(launch('/etc/passwd', [], { trace, memory }))).code)
      }
      report([...new Set(codes.map(String))].sort())`,
        { behind: asNobody ?? [], cwd: '/' },
      )
      expect(ran.reports, ran.stderr).toEqual([['3', 'EACCES']])
    },
  )
})
