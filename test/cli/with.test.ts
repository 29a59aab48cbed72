/** `tracegate with`: real tools, from before a program's first instruction to its end. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { handlingOf } from '../../lib/cli/with/known-tools.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { eventually, hasTool, isGone, main, skipped, start, startProgram, stateOf, tracegate } from './command.ts'
import { compileShortLived, probeWork, samplesIn, type User, users, whyNot, withTool } from './tools-under-with.ts'

const folder = temporaryFolder()
chmodSync(folder, 0o755)

function folderOf(user: User): string {
  const own = join(folder, user.name.replaceAll(' ', '-'))
  mkdirSync(own, { recursive: true })
  chmodSync(own, 0o777)
  return own
}

const left = (pid: unknown) => `tracegate: the tool has left process ${pid} stopped: it goes on\n`

describe('a tool is known by its name', () => {
  it.each([
    ['gdb -p {pid}', 'exec', 'tool'],
    ['sudo -E /usr/bin/gdb-13 -p {pid}', 'exec', 'tool'],
    ['DEBUGINFOD_URLS= gdb -p {pid}', 'exec', 'tool'],
    ['cd /tmp && exec lldb -p {pid}', 'exec', 'tool'],
    ['lldb-vscode-14 <requests-of-{pid}', 'exec', 'tool'],
    ['strace -f -p {pid}', 'gate', 'attached'],
    ['timeout 10 perf record -p {pid}', 'exec', 'attached'],
    ['perf trace -p {pid}', 'gate', 'attached'],
    ["bpftrace -e 'uprobe:/bin/x:main { }' -p {pid}", 'exec', 'attached'],
    ['prlimit --nofile=9 -p {pid}', 'exec', 'tool-exit'],
    ['my-gdb -p {pid}', 'exec', 'attached'],
    ['perf list {pid}', 'exec', 'attached'],
  ])('%s', (line, hold, release) => {
    expect(handlingOf(line)).toMatchObject({ hold, release })
  })
})

describe.each(users)('as $name', user => {
  const own = folderOf(user)
  const run = (...args: readonly string[]) => withTool(user, own, ...args)
  const test = (tool: string, title: string, body: () => Promise<void>) => {
    const why = whyNot(tool, user)
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
      it.skipIf(perfTrace !== undefined)(`perf trace sees the program to its end${skipped(perfTrace)}`, async () => {
        const { status, stderr } = await run('perf trace -p {pid}', '--', '/bin/sh', '-c', 'exit 7')
        expect(status).toBe(0)
        expect(stderr).toMatch(/exit_group\(error_code: 7\)/)
      })

      const prlimit = hasTool('prlimit') ? undefined : 'prlimit is not installed'
      it.skipIf(prlimit !== undefined)(
        `prlimit and taskset are done before the program runs${skipped(prlimit)}`,
        async () => {
          const limited = await run('prlimit --nofile=77 --pid {pid}', '--', '/bin/sh', '-c', 'ulimit -n; exit 3')
          expect(limited).toEqual({ status: 0, signal: null, stdout: '77\n', stderr: '' })
          const bound = await run('taskset -p 1 {pid} >/dev/null', '--', '/bin/sh', '-c', 'taskset -p $$')
          expect(bound.stdout).toMatch(/mask: 1\n/)
        },
      )
    },
    whyNoCompiler,
  )

  describeNative(
    'a program of 5 ms',
    () => {
      const program = compileShortLived(folder)
      chmodSync(program, 0o755)
      // The 20 runs of each are in with.long.test.ts.
      test('perf', 'record has its samples, 3 of 3', async () => {
        for (const control of ['', '--control {control} ', '']) {
          const file = join(own, 'perf.data')
          const { status, stderr } = await run(`perf record -q ${control}-F 5000 -o ${file} -p {pid}`, '--', program)
          expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
          // On a loaded machine the kernel samples less often than it is asked to.
          expect(samplesIn(file, user)).toBeGreaterThan(0)
          rmSync(file)
        }
      })

      test('perf', 'record that keeps no descriptor, as under sudo, is asked by its control pipes', async () => {
        const file = join(own, 'perf.data')
        const bare = 'for fd in {3..40}; do eval "exec $fd>&-"; done; exec "$@"'
        const sudo = user.isRoot && hasTool('sudo') ? ['sudo'] : []
        for (const prefix of [...sudo, `bash -c '${bare}' bash`]) {
          const line = `${prefix} perf record -q --control {control} -F 5000 -o ${file} -p {pid}`
          expect(await run(line, '--', program)).toMatchObject({ status: 0, stderr: '' })
          expect(samplesIn(file, user)).toBeGreaterThan(0)
          rmSync(file)
        }
      })

      test('bpftrace', 'sees its probes, 3 of 3', async () => {
        for (let n = 0; n < 3; n++)
          expect((await run(probeWork(program), '--', program)).stdout).toContain('saw work\n')
      })
    },
    whyNoCompiler,
  )
})

describeNative('tracegate with', () => {
  it.skipIf(whyNoCompiler !== undefined).each(['exec', 'gate'])(
    'knows that a tool has attached, however short it did (--hold %s)',
    async hold => {
      const source = `#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
int main(int count, char **words) {
  const pid_t pid = atoi(words[count - 1]);
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, 0, 0) != pid) return 9;
  return ptrace(PTRACE_DETACH, pid, 0, 0) ? 9 : 0;
}
`
      const tool = compileSource('attach-briefly', source)
      for (let n = 0; n < 5; n++) {
        const options = ['--hold', hold, '--release', 'tool', `exec ${tool} {pid}`]
        const { status, stdout, stderr } = await tracegate('with', ...options, '--', '/bin/echo', 'ran')
        expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: 'ran\n' })
        expect(stderr).not.toContain('never')
      }
    },
  )

  it.each(['tool-exit', 'fd', 'attached', 'tool'])('says that a program never ran: --release %s', async release => {
    const failed = await tracegate('with', '--release', release, 'echo {pid}; exit 3', '--', '/bin/echo', 'ran')
    const pid = failed.stdout.trim()
    expect(failed).toEqual({
      status: 3,
      signal: null,
      stdout: `${pid}\n`,
      stderr: `tracegate: the tool failed and never attached: process ${pid} was killed, it has not run\n`,
    })
    expect(isGone(Number(pid))).toBe(true)
  })

  it.each(['exec', 'gate'])(
    'says it also where the tool has not failed, and what would help: --hold %s',
    async hold => {
      const { status, stdout, stderr } = await tracegate('with', '--hold', hold, 'echo {pid}', '--', '/bin/echo', 'ran')
      const pid = stdout.trim()
      expect(status).toBe(125)
      expect(stderr).toBe(
        `tracegate: the tool ended and was never seen to attach: process ${pid} was killed, it has not run (--release tool-exit lets a program go when its tool ends)\n`,
      )
      expect(isGone(Number(pid))).toBe(true)
    },
  )

  it.each([
    ['no-such-tool', 127],
    ['kill -TERM $$', 143],
  ])('gives the tool its exit status: %s', async (line, status) => {
    const result = await tracegate('with', `echo {pid}; ${line}`, '--', '/bin/sleep', '1000')
    expect(result.status).toBe(status)
    expect(isGone(Number(result.stdout))).toBe(true)
  })

  it.each(['exec', 'gate'])(
    'lets the program go when the tool has ended well, by --release tool-exit: --hold %s',
    async hold => {
      const args = [
        '--release',
        'tool-exit',
        '--hold',
        hold,
        'grep ^State /proc/{pid}/status',
        '--',
        '/bin/echo',
        'ran',
      ]
      const { status, stdout, stderr } = await tracegate('with', ...args)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toBe(hold === 'exec' ? 'State:\tT (stopped)\nran\n' : 'State:\tS (sleeping)\nran\n')
    },
  )

  it('lets it go at a newline from the tool, by --release fd, which may end at once', async () => {
    const say = 'echo {pid} >/dev/null; echo >&$TRACEGATE_RELEASE_FD'
    const slow = await tracegate('with', '--release', 'fd', `${say}; sleep 0.2; exit 3`, '--', '/bin/echo', 'ran')
    expect(slow).toEqual({ status: 3, signal: null, stdout: 'ran\n', stderr: '' })
    const quick = await tracegate('with', '--release', 'fd', `${say}; exit 3`, '--', '/bin/echo', 'ran')
    expect(quick).toEqual({ status: 3, signal: null, stdout: 'ran\n', stderr: '' })
  })

  it('gives the descriptor to the tool alone, beside those that it was started with', async () => {
    const line = `'${process.execPath}' '${main}' with --release fd 'ls -l /proc/self/fd >&2; echo >&$TRACEGATE_RELEASE_FD; echo $TRACEGATE_RELEASE_FD {pid}' -- /bin/sh -c 'echo "[$TRACEGATE_RELEASE_FD]"'`
    const { stdout, stderr, status } = await startProgram('/bin/sh', ['-c', line]).finished
    expect(status).toBe(0)
    expect(stdout).toMatch(/^3 \d+$/m)
    expect(stdout).toMatch(/^\[\]$/m)
    expect(stderr).toMatch(/ 3 -> pipe:/)
  })

  const strace = hasTool('strace') ? undefined : 'strace is not installed'
  it.skipIf(strace !== undefined)(`names itself as the program's tracer, for Yama${skipped(strace)}`, async () => {
    // At the gate nothing else traces the program, so strace may follow it there.
    const line = `strace -f -qq -e trace=prctl '${process.execPath}' '${main}' with --hold gate --release tool-exit 'true {pid}' -- /bin/true`
    const { stderr } = await startProgram('/bin/sh', ['-c', `${line} & echo $!; wait $!`]).finished
    const [, pid] = /PR_SET_PTRACER, (\d+)\)/.exec(stderr) ?? []
    expect(Number(pid)).toBeGreaterThan(0)
    // The thread that is named leads the process that has started the program.
    expect(stderr).not.toMatch(new RegExp(`^\\[pid +${pid}\\] prctl\\(PR_SET_PTRACER`, 'm'))
  })

  const ordinary = users.find(user => !user.isRoot)
  const setcap =
    process.getuid?.() === 0 && ordinary && hasTool('setcap') ? undefined : 'it needs root, setpriv and setcap'
  it.skipIf(setcap !== undefined)(
    `says that a tool with other privileges cannot be seen${skipped(setcap)}`,
    async () => {
      const tool = join(folderOf(ordinary!), 'privileged')
      spawnSync('cp', ['/bin/sleep', tool])
      expect(spawnSync('setcap', ['cap_net_raw+ep', tool]).status).toBe(0)
      const { status, stderr } = await withTool(
        ordinary!,
        folderOf(ordinary!),
        `${tool} 3; true {pid}`,
        '--',
        '/bin/echo',
        'ran',
      )
      expect(status).toBe(125)
      expect(stderr).toMatch(
        /^tracegate: the tool has other privileges, [^\n]*\ntracegate: the tool ended and was never seen/,
      )
    },
  )

  it('stays until the program ends, when the tool has left it running', async () => {
    const running = start(['with', 'kill -CONT {pid}; echo {pid}', '--', '/bin/sh', '-c', 'sleep 0.3; echo late'])
    expect(await running.finished).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\nlate\n$/) })
  })

  it('sends SIGTERM on to the program when the tool has ended', async () => {
    const running = start(['with', 'kill -CONT {pid}; echo {pid}', '--', '/bin/sleep', '1000'])
    const pid = Number(await running.firstLine)
    await eventually(() => !isGone(pid) && stateOf(pid) === 'S', 'the program')
    const { children } = { children: () => spawnSync('pgrep', ['-P', String(running.process.pid)]).stdout.toString() }
    await eventually(() => children().trim() === String(pid), 'the end of the tool')
    running.process.kill('SIGTERM')
    await running.finished
    expect(isGone(pid)).toBe(true)
  })

  it('gives the tool its standard input, and the pid wherever the line has {pid}', async () => {
    const line = 'read -r word; echo "$word {pid} {pid} $(cat /proc/{pid}/comm)"'
    const running = start(['with', line, '--', '/bin/cat'], { input: 'x\n' })
    expect((await running.finished).stdout).toMatch(/^x (\d+) \1 cat\n$/)
  })

  it('waits for a tool that outlasts the program', async () => {
    const line = 'kill -KILL {pid}; while [ -e /proc/{pid}/exe ]; do sleep 0.01; done; echo over; exit 2'
    expect(await tracegate('with', line, '--', '/bin/sleep', '1000')).toMatchObject({ status: 2, stdout: 'over\n' })
  })
})
