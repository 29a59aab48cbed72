/** Programs of every kind under the command: names, arguments, lookup and failures. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { start, tracegate } from './command.ts'

let folder = ''

/** An executable file in the folder. */
function executable(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}

describeNative('a program under tracegate run', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'trace gate '))
    executable('show', '#!/bin/sh\nprintf "<%s>" "$0" "$@"\n')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each([
    [['--help']],
    [['-h', '--version']],
    [['--', 'x', '--']],
    [['--json', '--timeline', '--simulate']],
    [['', ' ', '']],
    [['a b', '"', "'", '$HOME', '*', '\\']],
    [['ünïcode', '𝄞', 'line\nbreak']],
    [['-']],
  ])('gets its arguments as they are: %j', async args => {
    const show = join(folder, 'show')
    const expected = [show, ...args].map(each => `<${each}>`).join('')
    expect(await tracegate('run', '--', show, ...args)).toMatchObject({ status: 0, stdout: expected })
  })

  it('gets the environment, the working directory and the umask of the command', async () => {
    const script = 'echo "$MARK"; pwd; umask'
    const running = start(['run', '--', '/bin/sh', '-c', script], { env: { ...process.env, MARK: 'a=b c' } })
    const [mark, directory, umask] = (await running.finished).stdout.split('\n')
    expect({ mark, directory }).toEqual({ mark: 'a=b c', directory: process.cwd() })
    expect(Number.parseInt(umask!, 8)).toBe(process.umask())
  })

  it('gets arguments and an environment of a hundred kilobytes', async () => {
    const long = 'x'.repeat(100_000)
    const running = start(['run', '--', '/bin/sh', '-c', 'echo $1 $LONG', 'sh', long], {
      env: { ...process.env, LONG: long },
    })
    expect((await running.finished).stdout).toBe(`${long} ${long}\n`)
  })

  it('is looked for in PATH, and where there is none in the usual places', async () => {
    const { PATH: _, ...without } = process.env
    const byName = (env: NodeJS.ProcessEnv) => start(['run', '--', 'sh', '-c', 'echo found'], { env }).finished
    expect(await byName(process.env)).toMatchObject({ status: 0, stdout: 'found\n' })
    expect(await byName(without)).toMatchObject({ status: 0, stdout: 'found\n' })
    expect(await byName({ ...process.env, PATH: '/nowhere' })).toMatchObject({ status: 127, stdout: '' })
    const own = await start(['run', '--', 'show', 'x'], { env: { ...process.env, PATH: folder } }).finished
    // The folder's name and the script's name contain spaces.
    expect(own.stdout).toMatch(/^<.*trace gate .*\/show><x>$/)
  })

  it.each([
    ['is not there', () => '/no/such/program', 127, 'ENOENT: no such file or directory, execve'],
    ['is in no folder of PATH', () => 'no-such-program', 127, 'ENOENT: no such file or directory, execve'],
    ['is a folder', () => folder, 126, 'EACCES: permission denied, execve'],
    ['is behind a file', () => '/dev/null/program', 126, 'ENOTDIR: not a directory, execve'],
    ['may not be executed', () => executable('plain', ''), 126, 'EACCES: permission denied, execve'],
  ])('fails with one line when it %s', async (what, file, status, message) => {
    const path = file()
    if (what === 'may not be executed') chmodSync(path, 0o644)
    // A folder of PATH without search permission would give EACCES.
    const env = { ...process.env, PATH: '/usr/bin:/bin' }
    const result = await start(['run', '--timeline', '--', path], { env }).finished
    expect(result).toMatchObject({ status, stdout: '', stderr: `tracegate: ${message} '${path}'\n` })
  })

  it.each([[['run']], [['run', '--timeline']], [['hold']], [['hold', '--detach']], [['with', 'echo {pid}']]])(
    'fails alike under every command: %j',
    async command => {
      const { status, stdout, stderr } = await tracegate(...command, '--', '/no/such/program')
      expect({ status, stdout }).toEqual({ status: 127, stdout: '' })
      expect(stderr).toMatch(/^(tracegate: .* system\n)?tracegate: ENOENT: [^\n]* '\/no\/such\/program'\n$/)
    },
  )

  it('needs no --: what comes after its name is its own', async () => {
    const show = join(folder, 'show')
    const { stdout } = await tracegate('run', '--json', show, '--help', '--', 'x')
    expect(stdout).toBe(`<${show}><--help><--><x>`)
  })

  it.each([
    ['exit 0', 0],
    ['exit 127', 127],
    ['exit 255', 255],
    ['kill -INT $$', 130],
    ['kill -USR1 $$', 138],
    ['ulimit -c 0; kill -SEGV $$', 139],
    ['/bin/false; exit 2', 2],
    ["trap 'exit 6' USR1; kill -USR1 $$", 6],
    ['exec /bin/sh -c "exit 5"', 5],
  ])('gives its exit status: %s', async (script, status) => {
    expect((await tracegate('run', '--json', '--', '/bin/sh', '-c', script)).status).toBe(status)
  })

  it('may fork, exec and be signalled as often as it likes: the report stays one of its launch', async () => {
    const script = 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; exec /bin/true'
    const { status, stderr } = await tracegate('run', '--json', '--', '/bin/sh', '-c', script)
    expect(status).toBe(0)
    expect(JSON.parse(stderr).steps.map(({ step }: { step: string }) => step)).toEqual([
      'pipe2',
      'fork',
      'traceme',
      'notify',
      'stop',
      'exec',
      'exit',
    ])
  })
})
