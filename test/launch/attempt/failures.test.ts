/**
 * Launches that fail: errno, step and path are right. The setup file checks after each test that nothing is left
 * behind.
 */

import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Child } from '../../../lib/launch/handles/child.ts'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { constants } from '../../../lib/system/constants.ts'
import { temporaryFolder } from '../support/compile.ts'
import { modes, optionsOf } from '../support/modes.ts'
import { describeNative } from '../support/native.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)

function file(name: string, text: string, mode = 0o755): string {
  const path = at(name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

mkdirSync(at('folder'))
symlinkSync(at('loop'), at('loop'))

interface Failure {
  readonly what: string
  readonly file: string
  readonly args?: readonly string[]
  readonly options?: LaunchOptions
  readonly code: string
  readonly errno: number
  readonly step?: string
  readonly path?: string
}

const failures: readonly Failure[] = [
  { what: 'is missing', file: at('missing'), code: 'ENOENT', errno: -2 },
  {
    what: 'is missing in every folder of PATH',
    file: 'no-such-program',
    options: { env: { PATH: '/bin:/usr/bin' } },
    code: 'ENOENT',
    errno: -2,
  },
  { what: 'is a directory', file: at('folder'), code: 'EACCES', errno: -13 },
  { what: 'may not be executed', file: file('plain', '#!/bin/sh\n', 0o644), code: 'EACCES', errno: -13 },
  { what: 'is below a file', file: join(file('file', ''), 'x'), code: 'ENOTDIR', errno: -20 },
  {
    what: 'has a missing interpreter',
    file: file('bad-shebang', '#!/no/such/interpreter\n'),
    code: 'ENOENT',
    errno: -2,
  },
  { what: 'is a symbolic link to itself', file: at('loop'), code: 'ELOOP', errno: -40 },
  { what: 'has too long a name', file: `/${'n'.repeat(300)}`, code: 'ENAMETOOLONG', errno: -36 },
  {
    what: 'gets an argument that is too long',
    file: '/bin/true',
    args: ['x'.repeat(200_000)],
    code: 'E2BIG',
    errno: -7,
  },
  {
    what: 'gets an environment that is too large',
    file: '/bin/true',
    options: { env: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`K${i}`, 'x'.repeat(100_000)])) },
    code: 'E2BIG',
    errno: -7,
  },
  {
    what: 'is to stand in a folder that is missing',
    file: '/bin/true',
    options: { cwd: at('nowhere') },
    code: 'ENOENT',
    errno: -2,
    step: 'chdir',
    path: at('nowhere'),
  },
  {
    what: 'is to stand in a file',
    file: '/bin/true',
    options: { cwd: '/bin/true' },
    code: 'ENOTDIR',
    errno: -20,
    step: 'chdir',
    path: '/bin/true',
  },
]

const gates: readonly (LaunchOptions & { readonly with: string })[] = [
  { with: '' },
  { with: ', after beforeExec', beforeExec: () => {} },
]

describeNative('a launch', () => {
  for (const mode of modes) {
    for (const { with: gate, ...gated } of gates) {
      it.each(failures)(`whose program $what rejects with $code (${mode.name}${gate})`, async failure => {
        const step = failure.step ?? 'execve'
        const path = failure.path ?? failure.file
        const error = await launch(failure.file, failure.args, {
          ...failure.options,
          ...gated,
          ...optionsOf(mode),
        }).catch(e => e)
        expect(error).toBeInstanceOf(Error)
        expect(error).toMatchObject({
          name: 'SystemError',
          code: failure.code,
          errno: failure.errno,
          syscall: step,
          step,
          path,
        })
        expect(error.message).toContain(`${failure.code}: `)
        expect(error.message).toContain(`${step} '${path}'`)
      })
    }
  }

  it.each(modes)('whose program is open for writing rejects with ETXTBSY after a bounded while ($name)', async mode => {
    const program = file(`busy-${mode.name.replace(/\W+/g, '-')}`, '#!/bin/true\n')
    const fd = openSync(program, 'r+')
    await expect(launch(program, [], optionsOf(mode))).rejects.toMatchObject({
      code: 'ETXTBSY',
      step: 'execve',
      path: program,
    })
    closeSync(fd)
  })

  it.each(modes)('whose program ceases to be open for writing meanwhile succeeds ($name)', async mode => {
    const program = file(`freed-${mode.name.replace(/\W+/g, '-')}`, '#!/bin/sh\nexit 6\n')
    const closedLater = () => {
      const fd = openSync(program, 'r+')
      const launching = launch(program, [], optionsOf(mode))
      setTimeout(() => closeSync(fd), 10)
      return launching
    }
    // A busy machine may close it too late: the child waits 63 ms.
    const isLate = (error: Error) => expect(error).toMatchObject({ code: 'ETXTBSY' })
    let launched: Child | undefined
    for (let left = 20; left > 0 && launched === undefined; left--) {
      launched = (await closedLater().catch(isLate)) ?? undefined
    }
    await using child = launched!
    if (child instanceof Tracee) void child.run()
    expect(await child.exited).toMatchObject({ code: 6 })
  })
})

describeNative('the search of PATH', system => {
  const inPath = (...folders: string[]) => ({ env: { PATH: folders.join(':') }, trace: false }) as const

  it('takes the first that can be executed', async () => {
    mkdirSync(at('p1'))
    mkdirSync(at('p2'))
    file('p1/tool', '#!/bin/sh\nexit 1\n')
    file('p2/tool', '#!/bin/sh\nexit 2\n')
    await using first = await launch('tool', [], inPath(at('p1'), at('p2')))
    await using second = await launch('tool', [], inPath(at('nowhere'), '/bin/true', at('p2'), at('p1')))
    expect((await first.exited).code).toBe(1)
    expect((await second.exited).code).toBe(2)
  })

  it('goes on past one that may not be executed, and reports EACCES when it finds no other', async () => {
    mkdirSync(at('p3'))
    mkdirSync(at('p4'))
    file('p3/held', '', 0o644)
    file('p4/held', '#!/bin/sh\nexit 3\n')
    await using child = await launch('held', [], inPath(at('p3'), at('p4')))
    expect((await child.exited).code).toBe(3)
    for (const folders of [[at('p3')], [at('p3'), at('nowhere')], [at('nowhere'), at('p3'), at('p1')]]) {
      await expect(launch('held', [], inPath(...folders))).rejects.toMatchObject({ code: 'EACCES', path: 'held' })
    }
  })

  it('looks into the working directory for an empty element', async () => {
    mkdirSync(at('p5'))
    file('p5/here', '#!/bin/sh\nexit 5\n')
    for (const path of ['', ':/nowhere', '/nowhere:', '/nowhere::/nowhere']) {
      await using child = await launch('here', [], { env: { PATH: path }, cwd: at('p5'), trace: false })
      expect((await child.exited).code).toBe(5)
    }
  })

  it('is that of the environment given, or of the usual places without a PATH', async () => {
    await expect(launch('sh', [], inPath('/nowhere'))).rejects.toMatchObject({ code: 'ENOENT', path: 'sh' })
    await using child = await launch('sh', ['-c', 'exit 8'], { env: {}, trace: false })
    expect((await child.exited).code).toBe(8)
  })

  it('is not made for a name with a slash', async () => {
    await using child = await launch('p1/tool', [], { env: { PATH: at('p2') }, cwd: folder, trace: false })
    expect((await child.exited).code).toBe(1)
  })

  it('leaves no zombie behind', async () => {
    await expect(launch('no-such-program', [], inPath('/bin'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(() => system.waitpid(-1, constants.WNOHANG)).toThrow(expect.objectContaining({ code: 'ECHILD' }))
  })
})
