/** Scripts without #!: the kernel refuses them with ENOEXEC, and execvp(3) has /bin/sh run them. */

import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { temporaryFolder } from '../support/compile.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'
import { textOf } from '../support/streams.ts'

describeNative('a script without #!', system => {
  const folder = temporaryFolder()
  const script = join(folder, 'script')
  writeFileSync(script, 'echo "<$0>" "<$1>" "<$2>" "<$#>" "<$A>"\nexit 4\n')
  chmodSync(script, 0o755)

  it.each(modes)(
    'is run by /bin/sh with its arguments and environment, as child_process has it ($name)',
    async mode => {
      const env = { PATH: `/nowhere:${folder}:/bin`, A: 'set' }
      for (const [file, cwd] of [
        [script, '/'],
        ['script', '/'],
        ['./script', folder],
      ] as const) {
        for (const args of [[], ['one', 'two words']]) {
          await using child = await launch(file, args, { ...optionsOf(mode), env, cwd, argv0: 'lost' })
          const text = textOf(child.stdout)
          if (child instanceof Tracee) void child.run()
          expect((await child.exited).code).toBe(4)
          const theirs = await asChildProcess(file, args, { env, cwd })
          expect(await text).toBe(theirs)
        }
      }
    },
  )

  it('that is empty succeeds', async () => {
    const empty = join(folder, 'empty')
    writeFileSync(empty, '', { mode: 0o755 })
    await using child = await launch(empty, [], { trace: false })
    expect((await child.exited).code).toBe(0)
  })

  it('is run by fork() too, even with an empty argv', () => {
    for (const memory of ['shared', 'copied'] as const) {
      const execs = [
        { op: 'execve', files: ['/nowhere/script', script], argv: [], env: [] },
        { op: 'execve', files: [script], argv: ['x'], env: [] },
      ] as const
      for (const exec of execs) {
        const silent = { op: 'open', path: '/dev/null', flags: 1, target: 1 } as const
        const pid = system.fork({ actions: [silent, exec], memory })
        expect(system.waitpid(pid)?.status).toMatchObject({ code: 4 })
      }
    }
  })

  function asChildProcess(file: string, args: readonly string[], options: { env: object; cwd: string }): string {
    try {
      execFileSync(file, args, { ...options, env: options.env as NodeJS.ProcessEnv, stdio: 'pipe' })
    } catch (error) {
      return String((error as { stdout: Buffer }).stdout)
    }
    throw new Error('the script succeeded')
  }
})
