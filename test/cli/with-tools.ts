/** Real tools under `tracegate with`, from before a program's first instruction to its end, as a user. */

import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { hasTool, skipped } from './command.ts'
import {
  compileShortLived,
  pagesTouched,
  probeWork,
  recordFaults,
  samplesIn,
  type User,
  whyNot,
  withTool,
} from './tools-under-with.ts'

const left = (pid: unknown) => `tracegate: the tool has left process ${pid} stopped: it goes on\n`

/** Those that are tried as every user in the quick run, too. */
const some = [
  'strace sees the execve itself, and all that follows',
  'gdb attaches at the first instruction and runs the program to its end',
  'perf record has its samples, asked by its control pipes or not',
]

/** The tests of the tools as a user, in a folder that every user may enter. */
export function testTools(user: User, folder: string, which: 'all' | 'some' = 'all'): void {
  describe(`as ${user.name}`, () => {
    const own = join(folder, user.name.replaceAll(' ', '-'))
    mkdirSync(own, { recursive: true })
    chmodSync(own, 0o777)
    const run = (...args: readonly string[]) => withTool(user, own, ...args)
    const test = (tool: string, title: string, body: () => Promise<void>, obstacle = () => whyNot(tool, user)) => {
      if (which === 'some' && !some.includes(`${tool} ${title}`)) return
      const why = obstacle()
      it.skipIf(why !== undefined)(`${tool} ${title}${skipped(why)}`, body)
    }

    describeNative(
      'a tool under tracegate with',
      () => {
        test('strace', 'sees the execve itself, and all that follows', async () => {
          const { status, stdout, stderr } = await run('strace -p {pid}', '--', '/bin/echo', 'traced')
          expect({ status, stdout }).toEqual({ status: 0, stdout: 'traced\n' })
          expect(stderr).toMatch(
            /execve\("\/bin\/echo", \["\/bin\/echo", "traced"\].*brk\(NULL\).*write\(1, "traced\\n", 7\)/s,
          )
          expect(stderr).toContain('exited with 0')
        })

        test('strace', 'sees an execve that fails, which the command reports', async () => {
          const { status, stderr } = await run('strace -p {pid}', '--', '/no/such/program')
          expect(stderr).toMatch(/execve\("\/no\/such\/program".*ENOENT/)
          expect(stderr).toContain("tracegate: ENOENT: no such file or directory, execve '/no/such/program'\n")
          expect(status).toBe(127)
        })

        test('strace', 'that holds at the exec gets its program going', async () => {
          const { status, stderr } = await run('--hold', 'exec', 'strace -p {pid}', '--', '/bin/echo', 'traced')
          expect(status).toBe(0)
          expect(stderr).not.toContain('execve')
          expect(stderr).toMatch(/brk\(NULL\).*exited with 0/s)
        })

        test('gdb', 'attaches at the first instruction and runs the program to its end', async () => {
          const line =
            "gdb -q -batch -nx -p {pid} -ex 'info symbol $pc' -ex 'handle SIGSTOP nostop noprint nopass' -ex continue"
          const { status, stdout } = await run(line, '--', '/bin/sh', '-c', 'echo from gdb; exit 3')
          expect(status).toBe(0)
          expect(stdout).toMatch(/_start in section \.text.*from gdb\n.*exited with code 03\]/s)
        })

        test('gdb', 'follows the exec from the gate', async () => {
          const line = "gdb -q -batch -nx -p {pid} -ex 'handle SIGSTOP nostop noprint nopass' -ex continue"
          const { status, stdout } = await run('--hold', 'gate', line, '--', '/bin/echo', 'from gdb')
          expect(status).toBe(0)
          expect(stdout).toMatch(/is executing new program: .*\/echo.*from gdb\n.*exited normally/s)
        })

        test('gdb', 'that leaves the program stopped does not take it along', async () => {
          const line = "gdb -q -batch -nx -p {pid} -ex 'print 6*7' && echo tool {pid} && exit 4"
          const { status, stdout, stderr } = await run(line, '--', '/bin/echo', 'ran')
          expect(status).toBe(4)
          expect(stdout).toMatch(/\$1 = 42\n.*tool \d+\nran\n/s)
          expect(stderr).toContain(left(/tool (\d+)/.exec(stdout)![1]))
        })

        test('gdb', 'takes it along with --kill', async () => {
          const { status, stdout, stderr } = await run(
            '--kill',
            'gdb -q -batch -nx -p {pid}; echo tool {pid}',
            '--',
            '/bin/echo',
            'ran',
          )
          expect(status).toBe(0)
          expect(stdout).not.toContain('ran')
          const pid = /tool (\d+)/.exec(stdout)![1]
          expect(stderr).toContain(`tracegate: the tool has ended: process ${pid} was killed\n`)
        })

        test('gdb', 'may kill the program', async () => {
          expect(await run('gdb -q -batch -nx -p {pid} -ex kill', '--', '/bin/sleep', '1000')).toMatchObject({
            status: 0,
          })
        })

        test('gdbserver', 'attaches, and leaves the program when it ends', async () => {
          const line = 'timeout 1 gdbserver --attach localhost:0 {pid}'
          const { status, stdout, stderr } = await run(line, '--', '/bin/echo', 'ran')
          expect({ status, stdout }).toEqual({ status: 124, stdout: 'ran\n' })
          expect(stderr).toMatch(/Attached; pid = \d+.*has left process \d+ stopped: it goes on/s)
        })

        test('lldb', 'runs the program to its end, and detaches from another', async () => {
          const quiet = 'process handle SIGSTOP -s false -p false -n false'
          const line = `lldb -b -o '${quiet}' -o continue -p {pid}`
          const ran = await run(line, '--', '/bin/sh', '-c', 'echo from lldb; exit 3')
          expect(ran.stdout).toMatch(/from lldb\n/)
          expect(ran.stdout).toMatch(/exited with status = 3/)
          const detached = await run(`lldb -b -o detach -p {pid}`, '--', '/bin/echo', 'ran')
          expect(detached).toMatchObject({ status: 0, stdout: expect.stringContaining('ran\n') })
        })

        test('ltrace', 'sees the calls of the program', async () => {
          const { status, stderr } = await run('ltrace -f -p {pid}', '--', '/bin/sh', '-c', 'exit 3')
          expect(status).toBe(0)
          expect(stderr).toMatch(/exited \(status 3\)/)
        })

        test('perf', 'stat counts the program', async () => {
          const { status, stdout, stderr } = await run(
            'perf stat -x, -e task-clock -p {pid}',
            '--',
            '/bin/echo',
            'counted',
          )
          expect({ status, stdout }).toEqual({ status: 0, stdout: 'counted\n' })
          expect(stderr).toMatch(/^[\d.]+,msec,task-clock/m)
        })

        const perfTrace = user.isRoot ? whyNot('perf', user) : 'perf trace needs root'
        const tracePerf = async () => {
          const { status, stderr } = await run('perf trace -p {pid}', '--', '/bin/sh', '-c', 'exit 7')
          expect(status).toBe(0)
          expect(stderr).toMatch(/exit_group\(error_code: 7\)/)
        }
        test('perf', 'trace sees the program to its end', tracePerf, () => perfTrace)

        const prlimit = hasTool('prlimit') ? undefined : 'prlimit is not installed'
        const setLimits = async () => {
          const limited = await run('prlimit --nofile=77 --pid {pid}', '--', '/bin/sh', '-c', 'ulimit -n; exit 3')
          expect(limited).toEqual({ status: 0, signal: null, stdout: '77\n', stderr: '' })
          const bound = await run('taskset -p 1 {pid} >/dev/null', '--', '/bin/sh', '-c', 'taskset -p $$')
          expect(bound.stdout).toMatch(/mask: 1\n/)
        }
        test('prlimit', 'and taskset are done before the program runs', setLimits, () => prlimit)
      },
      whyNoCompiler,
    )

    describeNative(
      'a program of 5 ms',
      () => {
        const program = compileShortLived(folder)
        chmodSync(program, 0o755)
        // with.long.test.ts has 20 runs of each.
        test('perf', 'record has its samples, asked by its control pipes or not', async () => {
          for (const options of [[], ['--control {control}']]) {
            const file = join(own, 'perf.data')
            const { status, stderr } = await run(recordFaults(file, options), '--', program)
            expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
            expect(samplesIn(file, user)).toBe(pagesTouched)
            rmSync(file)
          }
        })

        test('perf', 'record that keeps no descriptor, as under sudo, is asked by its control pipes', async () => {
          const file = join(own, 'perf.data')
          const bare = 'for fd in {3..40}; do eval "exec $fd>&-"; done; exec "$@"'
          const sudo = user.isRoot && hasTool('sudo') ? ['sudo'] : []
          for (const prefix of [...sudo, `bash -c '${bare}' bash`]) {
            const line = `${prefix} ${recordFaults(file, ['--control {control}'])}`
            expect(await run(line, '--', program)).toMatchObject({ status: 0, stderr: '' })
            expect(samplesIn(file, user)).toBe(pagesTouched)
            rmSync(file)
          }
        })

        test('bpftrace', 'sees its probes', async () => {
          expect((await run(probeWork(program), '--', program)).stdout).toContain('saw work\n')
        })
      },
      whyNoCompiler,
    )
  })
}
