import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { compileFixture, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { tidyNative } from '../support/tidy.ts'

const { O_CLOEXEC } = constants

/** The output of test/fixtures/self-report.c. */
interface SelfReport {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly cwd: string
  readonly parentDeathSignal: number
  readonly blocked: number[]
  readonly ignored: number[]
  readonly handled: number[]
  readonly pending: number[]
  readonly descriptors: Record<string, string>
  readonly argv: string[]
  readonly env: string[]
}

// A C program reports its own starting state.
describeNative(
  'a program that was forked and executed',
  () => {
    const system = tidyNative()

    const reportOf = (
      before: readonly ChildAction[] = [],
      rest: { argv?: string[]; env?: string[]; memory?: 'shared' | 'copied' } = {},
    ): SelfReport & { forked: number } => {
      const file = compileFixture('self-report')
      const [r, w] = system.pipe2(O_CLOEXEC)
      const { argv = ['it'], env = [], memory = 'shared' } = rest
      const forked = system.fork({
        actions: [{ op: 'dup2', fd: w, target: 1 }, ...before, { op: 'execve', files: [file], argv, env }],
        memory,
      })
      system.close(w)
      const chunks: Uint8Array[] = []
      for (;;) {
        const buffer = new Uint8Array(65536)
        const got = system.read(r, buffer)
        if (got === 0) break
        chunks.push(buffer.subarray(0, got))
      }
      expect(system.waitpid(forked)?.raw).toBe(0)
      return { ...JSON.parse(Buffer.concat(chunks).toString()), forked }
    }

    describe.for(['shared', 'copied'] as const)('in %s memory', memory => {
      it('has every signal at its default action, none blocked, none pending', () => {
        const handler = () => {}
        const signals = ['SIGUSR1', 'SIGWINCH', 'SIGHUP'] as const
        for (const signal of signals) process.on(signal, handler)
        try {
          const report = reportOf([], { memory })
          expect(report).toMatchObject({ blocked: [], ignored: [], handled: [], pending: [] })
        } finally {
          for (const signal of signals) process.off(signal, handler)
        }
      })

      it('has the arguments and the environment that were given, to the byte', () => {
        const argv = ['', 'two words', 'ünïcödé ☃ 🎉', '"quotes" \\ and\nlines', 'x'.repeat(50_000)]
        const env = ['A=1', 'A=2', 'EMPTY=', 'no equals sign', 'LONG='.padEnd(50_000, 'y'), '=', '']
        expect(reportOf([], { argv, env, memory })).toMatchObject({ argv, env })
      })

      it('has no argument and no variable when none was given', () => {
        // Linux replaces an empty argument list by one empty argument.
        expect(reportOf([], { argv: [], env: [], memory }).env).toEqual([])
      })

      it('is our child, in our group and session', () => {
        const report = reportOf([], { memory })
        expect(report.pid).toBe(report.forked)
        expect(report.parent).toBe(process.pid)
        expect(report.group).not.toBe(report.pid)
        expect(report.session).not.toBe(report.pid)
      })

      it('has a session of its own after setsid', () => {
        const report = reportOf([{ op: 'setsid' }], { memory })
        expect([report.group, report.session]).toEqual([report.pid, report.pid])
      })

      it('has the descriptors that were left to it and no other', () => {
        const [r, w] = system.pipe2()
        const [, hidden] = system.pipe2(O_CLOEXEC)
        const report = reportOf([{ op: 'closeAllExcept', fds: [1, w, hidden] }], { memory })
        expect(Object.keys(report.descriptors)).toEqual(['1', String(w)])
        const only = reportOf([{ op: 'closeAllExcept', fds: [1] }], { memory })
        expect(Object.keys(only.descriptors)).toEqual(['1'])
        system.close(r)
      })

      it('has what was opened for it where it was to be', () => {
        const before: ChildAction[] = [
          { op: 'closeAllExcept', fds: [1] },
          { op: 'open', path: '/dev/null', flags: constants.O_RDWR, target: 0 },
          { op: 'open', path: '/dev/zero', flags: constants.O_RDONLY, target: 17 },
        ]
        const report = reportOf(before, { memory })
        expect(report.descriptors).toEqual({ 0: '/dev/null', 1: expect.any(String), 17: '/dev/zero' })
      })

      it('stands in the directory that it was sent to', () => {
        const here = realpathSync(tmpdir())
        expect(reportOf([{ op: 'chdir', path: here }], { memory }).cwd).toBe(here)
        expect(process.cwd()).not.toBe(here)
      })

      it('has a parent death signal only while one is set', () => {
        const first: ChildAction = { op: 'parentDeathSignal', signal: 'SIGUSR2' }
        expect(reportOf([first], { memory }).parentDeathSignal).toBe(12)
        expect(reportOf([first, { op: 'parentDeathSignal', signal: 0 }], { memory }).parentDeathSignal).toBe(0)
        expect(reportOf([], { memory }).parentDeathSignal).toBe(0)
      })
    })

    it('what the child changes of itself is not changed in the parent', () => {
      const before = { cwd: process.cwd(), umask: process.umask() }
      reportOf([{ op: 'chdir', path: '/' }, { op: 'setsid' }, { op: 'closeAllExcept', fds: [1] }])
      expect({ cwd: process.cwd(), umask: process.umask() }).toEqual(before)
      const caught = new Promise(resolve => process.once('SIGUSR2', resolve))
      process.kill(process.pid, 'SIGUSR2')
      return caught
    })
  },
  whyNoCompiler,
)
