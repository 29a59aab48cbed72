import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { inShell, start, tracegate } from './command.ts'

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

  it('prints that line alone where a timeline is asked for as well', async () => {
    const { stderr } = await tracegate('run', '--timeline', '--json', '--', '/bin/true')
    expect(JSON.parse(stderr)).toMatchObject({ program: '/bin/true' })
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
        // Before its stop the SIGCONT would do nothing.
        '(until grep -q "^State:.[Tt]" /proc/$$/status; do sleep 0.01; done; kill -CONT $$) & kill -STOP $$; exit 5',
      ])
      expect((await running.finished).status).toBe(status)
      return
    }
    expect((await tracegate('run', '--', '/bin/sh', '-c', script)).status).toBe(status)
  })

  it('distinguishes a missing program (127), one that may not run (126) and a failed launch (125)', async () => {
    const absent = await tracegate('run', '--', '/no/such/program')
    expect(absent.status).toBe(127)
    expect(absent.stderr).toContain("ENOENT: no such file or directory, execve '/no/such/program'")
    expect((await tracegate('run', '--', '/etc')).status).toBe(126)
    const env = { ...process.env, TRACEGATE_SYSTEM: 'imagined' }
    expect((await start(['run', '--', '/bin/true'], { env }).finished).status).toBe(125)
  })

  it('says what is behind an ENOENT: a missing interpreter, or the simulated system', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-run-'))
    try {
      const script = join(folder, 'script')
      writeFileSync(script, '#!/no/interpreter\n', { mode: 0o755 })
      const { status, stderr } = await tracegate('run', '--', script)
      expect(status).toBe(127)
      expect(stderr).toContain(`execve '${script}': its interpreter /no/interpreter does not exist`)
    } finally {
      rmSync(folder, { recursive: true })
    }
    const simulated = await tracegate('run', '--simulate', '--', '/no/such')
    expect(simulated.status).toBe(127)
    expect(simulated.stderr).toContain("execve '/no/such': this is the simulated system")
  })

  it('reports a failed launch as one line of JSON, too', async () => {
    const { status, stdout, stderr } = await tracegate('run', '--json', '--', '/no/such/program', 'arg')
    expect({ status, stdout }).toEqual({ status: 127, stdout: '' })
    expect(stderr).toMatch(/^[^\n]*\n$/)
    const message = "ENOENT: no such file or directory, execve '/no/such/program'"
    expect(JSON.parse(stderr)).toMatchObject({
      program: '/no/such/program',
      args: ['arg'],
      system: 'native',
      error: { step: 'execve', code: 'ENOENT', path: '/no/such/program', message },
    })
    const env = { ...process.env, TRACEGATE_SYSTEM: 'imagined' }
    const failed = await start(['run', '--json', '--', '/bin/true'], { env }).finished
    expect(failed.status).toBe(125)
    expect(JSON.parse(failed.stderr)).toMatchObject({
      program: '/bin/true',
      error: { step: null, path: null, message: 'TRACEGATE_SYSTEM must be native or simulated, not imagined' },
    })
  })

  it('prints its report where --output says: to a file or to a descriptor', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tracegate-output-'))
    const file = join(folder, 'report')
    try {
      for (const options of ['--json', '--timeline', '']) {
        for (const output of [file, 'fd:7']) {
          const { stdout, stderr } = await inShell(
            `tracegate run ${options} --output ${output} -- /bin/sh -c 'echo program >&2' 7>'${file}'`,
          )
          expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'program\n' })
          expect(readFileSync(file, 'utf8')).toMatch(options === '--json' ? /^\{.*\}\n$/ : /execs?|exec /)
        }
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('prints a failure to standard error besides, where --output names another place', async () => {
    const { status, stdout, stderr } = await tracegate('run', '--json', '--output', 'fd:1', '--', '/no/such')
    expect(status).toBe(127)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ENOENT' } })
    expect(stderr).toBe("tracegate: ENOENT: no such file or directory, execve '/no/such'\n")
  })

  it('says in one line that the report cannot be written, and exits as the program did', async () => {
    const absent = await tracegate('run', '--output', '/no/such/folder/report', '--', '/bin/echo', 'ran')
    expect(absent).toMatchObject({ status: 125, stdout: '' })
    expect(absent.stderr).toBe("tracegate: cannot write '/no/such/folder/report': ENOENT\n")
    if (!existsSync('/dev/full')) return
    const full = await tracegate('run', '--output', '/dev/full', '--', '/bin/sh', '-c', 'exit 3')
    expect(full.status).toBe(3)
    expect(full.stderr).toMatch(/^tracegate: cannot write the report: ENOSPC[^\n]*\n$/)
  })

  it('prints names with their control characters escaped', async () => {
    // A folder that may not be searched is EACCES, as for execvp(3).
    const path = ['--env', 'PATH=/usr/bin:/bin']
    const { status, stderr } = await tracegate('run', ...path, '--', 'no\u001b[31m\n\u009b\u202ename')
    expect(status).toBe(127)
    expect(stderr).toContain('tracegate: no\\e[31m\\n\\x9b\\u202ename in the native system\n')
    expect(stderr).toContain("execve 'no\\e[31m\\n\\x9b\\u202ename'")
  })

  it('passes a flood of output through whole', async () => {
    const { status, stdout } = await tracegate('run', '--', '/bin/sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x')
    expect(status).toBe(0)
    expect(stdout).toHaveLength(3_000_000)
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
