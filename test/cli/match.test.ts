/** `tracegate with --match`: one process of all that a program starts, held for a tool at its exec. */

import { once } from 'node:events'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { eventually, isGone, processesWith, skipped, start, tracegate } from './command.ts'

const folder = temporaryFolder()
chmodSync(folder, 0o755)

const toolEnds = ['--release', 'tool-exit']

/** Seconds for a sleep that a test looks for by its command line. Other runs of the tests have other ones. */
const ofThisRun = (nth: number) => `1000.${nth}${process.pid}`

describeNative('tracegate with --match', () => {
  it('gives the status of the program where the tool has not failed, else of the tool', async () => {
    const program = ['--', '/bin/sh', '-c', '/bin/sleep 0; exit 7']
    expect((await tracegate('with', '--match', 'sleep', ...toolEnds, 'true {pid}', ...program)).status).toBe(7)
    const line = 'kill -CONT {pid}; exit 3'
    expect((await tracegate('with', '--match', 'sleep', '--release', 'tool', line, ...program)).status).toBe(3)
  })

  it.each([
    ['exit 0', 125],
    ['exit 7', 7],
    ['kill -TERM $$', 143],
  ])('says that no process of that name ran: %s', async (line, status) => {
    const program = ['--', '/bin/sh', '-c', `/bin/true; ${line}`]
    expect(await tracegate('with', '--match', 'cc1', 'gdb -p {pid}', ...program)).toEqual({
      status,
      signal: null,
      stdout: '',
      stderr: "tracegate: no process below '/bin/sh' ran 'cc1': none was held\n",
    })
  })

  it("takes a later exec of the program's own process, not its first", async () => {
    const line = 'cat /proc/{pid}/comm'
    const later = await tracegate(
      'with',
      '--match',
      'cat',
      ...toolEnds,
      line,
      '--',
      '/bin/sh',
      '-c',
      'exec cat /dev/null',
    )
    expect(later).toEqual({ status: 0, signal: null, stdout: 'cat\n', stderr: '' })
    const first = await tracegate('with', '--match', 'true', ...toolEnds, line, '--', '/bin/true')
    expect(first).toMatchObject({
      status: 125,
      stdout: '',
      stderr: expect.stringContaining("ran 'true': none was held (without --match the program itself is held)\n"),
    })
  })

  it('knows a program by the name it was started under, by that of its file, and beyond 15 bytes', async () => {
    const long = join(folder, 'a-name-that-is-longer-than-comm')
    const other = join(folder, 'a-name-that-is-longer')
    for (const path of [long, other]) {
      writeFileSync(path, '#!/bin/cat\n')
      chmodSync(path, 0o755)
    }
    const link = join(folder, 'linked')
    symlinkSync('/bin/sleep', link)
    const line = 'tr "\\0" " " </proc/{pid}/cmdline; echo'
    const program = ['--', '/bin/sh', '-c', `${other}; ${long}; ${link} 0; exit 0`]
    const held = async (name: string) =>
      (await tracegate('with', '--match', name, ...toolEnds, line, ...program)).stdout
    expect(await held('a-name-that-is-longer-than-comm')).toContain(`/bin/cat ${long} \n`)
    expect(await held('linked')).toContain(`${link} 0 \n`)
    expect(await held('sleep')).toContain(`${link} 0 \n`)
    expect(await held('a-name-that-is-')).not.toContain('/bin/cat /')
  })

  it.skipIf(whyNoCompiler !== undefined)(
    `finds what vfork and posix_spawn have started, in a grandchild, too${skipped(whyNoCompiler)}`,
    async () => {
      const source = `#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
int main(int count, char **words) {
  char *next[] = {words[0], "deeper", 0}, *last[] = {"sleep", "0", 0};
  pid_t pid = 0;
  int status = 0;
  if (count == 1) {
    pid = vfork();
    if (pid == 0) { execv(words[0], next); _exit(1); }
  } else if (posix_spawn(&pid, "/bin/sleep", 0, 0, last, environ) != 0) return 1;
  waitpid(pid, &status, 0);
  return status == 0 && count == 1 ? 5 : WEXITSTATUS(status);
}
`
      const program = compileSource('spawns-below', source)
      const line = 'cat /proc/{pid}/comm'
      for (let n = 0; n < 5; n++) {
        const found = await tracegate('with', '--match', 'sleep', ...toolEnds, line, '--', program)
        expect(found).toEqual({ status: 5, signal: null, stdout: 'sleep\n', stderr: '' })
      }
    },
  )

  it('holds the first process alone, when many are of that name', async () => {
    const done = join(folder, 'done')
    writeFileSync(done, '')
    // The tool ends once seven have run: a second one that is held would keep it.
    const line = `until [ $(wc -l <'${done}') = 7 ]; do sleep 0.01; done; ps -o stat= -p {pid}; wc -l <'${done}'`
    const each = `(/bin/sleep 0; echo ran >>'${done}')`
    const program = ['--', '/bin/sh', '-c', `for i in 1 2 3 4 5 6 7 8; do ${each} & done; wait; exit 4`]
    const { status, stdout } = await tracegate('with', '--match', 'sleep', ...toolEnds, line, ...program)
    expect(status).toBe(4)
    expect(stdout).toMatch(/^T\S*\s+7\n$/)
    expect(readFileSync(done, 'utf8')).toBe('ran\n'.repeat(8))
  })

  it('takes what it traces along when it is killed before the match, and nothing after it', async () => {
    const [first, second, third] = [ofThisRun(1), ofThisRun(2), ofThisRun(3)]
    const program = (script: string) => ['--', '/bin/sh', '-c', script]
    const before = start(['with', '--match', 'cc1', 'true {pid}', ...program(`echo $$; sleep ${first}; :`)])
    const pid = Number(await before.firstLine)
    await eventually(() => processesWith(first).length > 1, 'the sleep')
    before.process.kill('SIGKILL')
    await eventually(() => isGone(pid) && processesWith(first).length === 0, 'the end of all')

    const line = `echo {pid}; kill -CONT {pid}; sleep ${third}`
    const after = start(['with', '--match', 'true', line, ...program(`/bin/true; sleep ${second}; :`)])
    await after.firstLine
    await eventually(() => processesWith(`sleep\x00${second}`).length === 1, 'the sleep')
    after.process.kill('SIGKILL')
    await once(after.process, 'exit')
    const [left] = processesWith(`sleep\x00${second}`)
    expect(left).toBeGreaterThan(0)
    for (const each of [...processesWith(second), ...processesWith(third)]) process.kill(each, 'SIGKILL')
    await Promise.all([before.finished, after.finished])
  })

  it('leaves what the program has left behind running, untraced', async () => {
    const seconds = ofThisRun(4)
    const line = ['--', '/bin/sh', '-c', `setsid sleep ${seconds} >/dev/null 2>&1 & echo $!; exit 0`]
    const { status, stdout } = await tracegate('with', '--match', 'cc1', 'true {pid}', ...line)
    expect(status).toBe(125)
    const pid = Number(stdout)
    await eventually(() => processesWith(`sleep\x00${seconds}`).length === 1, 'the sleep')
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^State:\t[SRD].*^TracerPid:\t0$/ms)
    process.kill(pid, 'SIGKILL')
  })

  it('sends SIGTERM on to the program before a match', async () => {
    const running = start([
      'with',
      '--match',
      'cc1',
      'true {pid}',
      '--',
      '/bin/sh',
      '-c',
      'trap "exit 8" TERM; echo up; while :; do sleep 0.02; done',
    ])
    expect(await running.firstLine).toBe('up')
    running.process.kill('SIGTERM')
    expect((await running.finished).status).toBe(8)
  })
})
