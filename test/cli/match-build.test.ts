/** `tracegate with --match` in a build: the first compiler is held for a tool, and the build goes on. */

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { rounds } from '../support/rounds.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { hasTool, skipped } from './command.ts'
import { type User, users, whyNot, withTool } from './tools-under-with.ts'

const folder = temporaryFolder()
chmodSync(folder, 0o755)

function folderOf(user: User): string {
  const own = join(folder, user.name.replaceAll(' ', '-'))
  mkdirSync(own, { recursive: true })
  chmodSync(own, 0o777)
  return own
}

const units = ['a', 'b', 'c', 'd']

/** A build of a few compilations, in a folder of its own. */
function makeBuild(user: User): string {
  const build = join(folderOf(user), 'build')
  rmSync(build, { recursive: true, force: true })
  mkdirSync(build)
  chmodSync(build, 0o777)
  for (const unit of units) writeFileSync(join(build, `${unit}.c`), `int ${unit}(void) { return 7; }\n`)
  const objects = units.map(unit => `${unit}.o`).join(' ')
  writeFileSync(join(build, 'Makefile'), `all: ${objects}\n%.o: %.c\n\tgcc -c $<\n`)
  return build
}

const isBuilt = (build: string) => units.every(unit => readFileSync(join(build, `${unit}.o`)).length > 0)

const quiet = "-ex 'handle SIGSTOP nostop noprint nopass'"
/** A shell's text that prints the tracer of each ancestor of {pid} up to the command. */
const tracersAbove =
  'p={pid}; while p=$(awk "/^PPid/{print \\$2}" /proc/$p/status); [ "$p" != $PPID ]; do grep ^TracerPid /proc/$p/status; done'

const build = !hasTool('make') || !hasTool('gcc') ? 'make and gcc are not installed' : undefined

// As an ordinary user, too, in test:long.
describe.each(users.slice(0, rounds(1, 2)))('as $name', user => {
  describeNative('a build under tracegate with --match', () => {
    const why = build ?? whyNot('gdb', user)
    const run = (cwd: string, ...args: readonly string[]) => withTool(user, cwd, ...args)

    it.skipIf(why !== undefined)(`has gdb on its first compiler, at its first instruction${skipped(why)}`, async () => {
      const cwd = makeBuild(user)
      const line = `gdb -q -batch -nx -p {pid} -ex 'info symbol $pc' -ex 'info proc exe' ${quiet} -ex continue`
      const { status, stdout } = await run(cwd, '--match', 'cc1', line, '--', 'make', '-j2')
      expect(status).toBe(0)
      expect(stdout).toMatch(/_start in section \.text.*exe = '[^']*\/cc1'.*exited normally/s)
      expect(isBuilt(cwd)).toBe(true)
    })

    it.skipIf(why !== undefined)(`goes on when gdb has left the compiler${skipped(why)}`, async () => {
      const cwd = makeBuild(user)
      const line = 'gdb -q -batch -nx -p {pid} && echo tool {pid}'
      const { status, stdout, stderr } = await run(cwd, '--match', 'cc1', line, '--', 'make', '-j2')
      expect(status).toBe(0)
      const pid = /tool (\d+)/.exec(stdout)![1]
      expect(stderr).toContain(`tracegate: the tool has left process ${pid} stopped: it goes on\n`)
      expect(isBuilt(cwd)).toBe(true)
    })

    it.skipIf(build !== undefined)(`is untraced once the process was found${skipped(build)}`, async () => {
      const cwd = makeBuild(user)
      const line = `cat /proc/{pid}/comm; grep -E '^(State|TracerPid)' /proc/{pid}/status; ${tracersAbove}`
      const { status, stdout } = await run(
        cwd,
        ...['--match', 'cc1', '--release', 'tool-exit', line, '--', 'make', '-s', '-j4'],
      )
      expect({ status, stdout }).toEqual({
        status: 0,
        // cc1 itself, then gcc, perhaps a shell, and make.
        stdout: expect.stringMatching(/^cc1\nState:\tT \(stopped\)\nTracerPid:\t0\n(TracerPid:\t0\n){2,3}$/),
      })
      expect(isBuilt(cwd)).toBe(true)
    })

    it.skipIf(build !== undefined)(
      `fails as it does by itself when the compiler is killed${skipped(build)}`,
      async () => {
        const cwd = makeBuild(user)
        const failed = await run(cwd, '--match', 'cc1', 'echo tool {pid}; exit 9', '--', 'make')
        const pid = /tool (\d+)/.exec(failed.stdout)![1]
        expect(failed.status).toBe(9)
        expect(failed.stderr).toContain(
          `tracegate: the tool failed and never attached: process ${pid} was killed, it has not run\n`,
        )
        const killed = await run(
          cwd,
          ...[
            '--kill',
            '--match',
            'cc1',
            '--release',
            'tool-exit',
            'true {pid}; sleep 0',
            '--',
            'sh',
            '-c',
            'make; exit 6',
          ],
        )
        expect(killed.status).toBe(6)
      },
    )
  })
})
