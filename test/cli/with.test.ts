/** `tracegate with`: what it knows of its tool, says of it, and does with the program. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { handlingOf } from '../../lib/cli/with/known-tools.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { rounds } from '../support/rounds.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { eventually, hasTool, isGone, main, skipped, start, startProgram, stateOf, tracegate } from './command.ts'
import { users, withTool } from './tools-under-with.ts'

const folder = temporaryFolder()
chmodSync(folder, 0o755)

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
      for (let n = 0; n < rounds(2, 10); n++) {
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
      // On a busy machine the child may be on its way to the gate.
      expect(stdout).toMatch(hold === 'exec' ? /^State:\tT \(stopped\)\nran\n$/ : /^State:\t[SRD] \(.*\)\nran\n$/)
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
      const own = join(folder, 'own')
      mkdirSync(own)
      chmodSync(own, 0o777)
      const tool = join(own, 'privileged')
      spawnSync('cp', ['/bin/sleep', tool])
      expect(spawnSync('setcap', ['cap_net_raw+ep', tool]).status).toBe(0)
      const { status, stderr } = await withTool(ordinary!, own, `${tool} 3; true {pid}`, '--', '/bin/echo', 'ran')
      expect(status).toBe(125)
      expect(stderr).toMatch(
        /^tracegate: the tool has other privileges, [^\n]*\ntracegate: the tool ended and was never seen/,
      )
    },
  )

  it('stays until the program ends, when the tool has left it running', async () => {
    const file = join(folder, 'tool')
    const line = `echo $$ >'${file}'; echo {pid}; kill -CONT {pid}`
    // It ends after the tool was reaped.
    const program = `read -r tool <'${file}'; while kill -0 "$tool"; do sleep 0.01; done 2>/dev/null; echo late`
    const running = start(['with', line, '--', '/bin/sh', '-c', program])
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
