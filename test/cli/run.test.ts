import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { isGone, main, start, tracegate } from './command.ts'

const steps = ['pipe2', 'fork', 'traceme', 'notify', 'exec', 'exit']

describeNative('tracegate run', () => {
  it('passes standard output through and prints the handshake to standard error, in its order', async () => {
    const { status, stdout, stderr } = await tracegate('run', '--', '/bin/echo', 'hello')
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'hello\n' })
    const named = [...stderr.matchAll(/ us {2}(\w+)/g)].map(([, step]) => step).filter(step => steps.includes(step!))
    expect(named).toEqual(steps)
    const times = [...stderr.matchAll(/([\d,]+) us/g)].map(([, time]) => Number(time!.replaceAll(',', '')))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('draws a timeline of parent and child', async () => {
    const { status, stderr } = await tracegate('run', '--timeline', '--', '/bin/true')
    expect(status).toBe(0)
    expect(stderr).toMatch(/parent +child \d+\n/)
    for (const step of [...steps, 'closes?']) expect(stderr).toMatch(new RegExp(step))
  })

  it('prints one line of JSON', async () => {
    const { stderr } = await tracegate('run', '--json', '--', '/bin/sh', '-c', 'exit 3')
    expect(stderr).toMatch(/^[^\n]*\n$/)
    const summary = JSON.parse(stderr)
    expect(summary).toMatchObject({ program: '/bin/sh', args: ['-c', 'exit 3'], system: 'native' })
    expect(summary.exit).toMatchObject({ kind: 'exited', code: 3, signal: null })
    expect(summary.steps.map(({ step }: { step: string }) => step)).toEqual([
      ...steps.slice(0, 4),
      'stop',
      ...steps.slice(4),
    ])
  })

  it('passes standard input through', async () => {
    const { status, stdout } = await start(['run', '--', '/bin/cat'], { input: 'line\n' }).finished
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'line\n' })
  })

  it.each([
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
    ['kill -STOP $$ & wait; exit 5', 5],
  ])('exits as the program did: %s gives %i', async (script, status) => {
    if (script.includes('STOP')) {
      const running = start([
        'run',
        '--json',
        '--',
        '/bin/sh',
        '-c',
        '(sleep 0.05; kill -CONT $$) & kill -STOP $$; exit 5',
      ])
      expect((await running.finished).status).toBe(status)
      return
    }
    expect((await tracegate('run', '--', '/bin/sh', '-c', script)).status).toBe(status)
  })

  it('tells a program that is not there (127), one that may not run (126) and a launch that failed (125)', async () => {
    const absent = await tracegate('run', '--', '/no/such/program')
    expect(absent.status).toBe(127)
    expect(absent.stderr).toContain("ENOENT: no such file or directory, execve '/no/such/program'")
    expect((await tracegate('run', '--', '/etc')).status).toBe(126)
    const env = { ...process.env, TRACEGATE_SYSTEM: 'imagined' }
    expect((await start(['run', '--', '/bin/true'], { env }).finished).status).toBe(125)
  })

  it.each([[['run', '/bin/echo', '-n', '--', 'x']], [['run', '--', '/bin/echo', '-n', '--', 'x']]])(
    'leaves the program its own words: %j',
    async args => {
      expect((await tracegate(...args)).stdout).toBe('-- x')
    },
  )

  it('takes empty arguments, and names with spaces', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trace gate '))
    try {
      const script = join(folder, 'a script')
      writeFileSync(script, '#!/bin/sh\nprintf "%s|" "$@"\n')
      chmodSync(script, 0o755)
      expect((await tracegate('run', '--', script, '', 'a b', '--json')).stdout).toBe('|a b|--json|')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('passes a flood of output through whole', async () => {
    const { status, stdout } = await tracegate('run', '--', '/bin/sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x')
    expect(status).toBe(0)
    expect(stdout).toHaveLength(3_000_000)
  })

  it('outlives a standard error that nobody reads', async () => {
    const command = `'${process.execPath}' '${main}' run -- /bin/echo out`
    const { stdout } = await promisify(execFile)('/bin/sh', [
      '-c',
      `exec 3>&1; { ${command}; echo $? >&3; } 2>&1 >&3 | :`,
    ])
    expect(stdout).toBe('out\n0\n')
  })

  it('passes SIGTERM on to the program', async () => {
    const running = start([
      'run',
      '--',
      '/bin/sh',
      '-c',
      'trap "exit 9" TERM; echo ready; while :; do sleep 0.01; done',
    ])
    await running.firstLine
    running.process.kill('SIGTERM')
    expect((await running.finished).status).toBe(9)
  })

  it('leaves no program behind when it is killed', async () => {
    const running = start(['run', '--', '/bin/sh', '-c', 'echo $$; exec sleep 1000'])
    const pid = Number(await running.firstLine)
    running.process.kill('SIGKILL')
    await running.finished
    expect(isGone(pid)).toBe(true)
  })

  it('runs in the simulated system where asked', async () => {
    const { status, stdout, stderr } = await tracegate('run', '--simulate', '--', '/bin/echo', 'hi')
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'hi\n' })
    expect(stderr).toContain('simulated system')
    const absent = await tracegate('run', '--simulate', '--', '/bin/ls')
    expect(absent.status).toBe(127)
    expect(absent.stderr).toContain('simulated system')
  })
})
