import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { tracegate } from './command.ts'

describe('tracegate', () => {
  it.each([['--help'], ['-h'], ['help']])('prints its help: %s', async option => {
    const { status, stdout, stderr } = await tracegate(option)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const word of ['run', 'hold', 'with', 'explore', 'doctor']) expect(stdout).toContain(`\n  ${word} `)
  })

  it.each([
    [
      ['run', '--help'],
      'run',
      [
        '--timeline',
        '--json',
        '--output',
        '--simulate',
        '--cwd',
        '--env',
        '--uid',
        '--rlimit',
        '--no-aslr',
        '--new-session',
      ],
    ],
    [['run', '--json', '-h'], 'run', ['--timeline']],
    [['help', 'run'], 'run', ['--timeline']],
    [['hold', '--help', '--', 'x'], 'hold', ['--detach', '--pid-file', '--report', '--tracer', '--timeout']],
    [
      ['with', 'gdb', '--help'],
      'with',
      ['--hold', '--match', '--release', '--kill', 'strace', 'perf record', 'prlimit'],
    ],
    [['explore', '--help'], 'explore', ['--svg', '--json']],
    [['explore', '--json', '-h'], 'explore', ['--svg']],
    [['doctor', '--help'], 'doctor', ['--json']],
  ])('prints the help of one command alone: %j', async (args, name, options) => {
    const { status, stdout, stderr } = await tracegate(...args)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Usage: tracegate ${name} `))
    for (const option of options) expect(stdout).toMatch(new RegExp(`[ ,] ?${option}`))
    expect(stdout.match(/^Usage:/gm)).toHaveLength(1)
  })

  it("leaves a program's own --help to the program", async () => {
    for (const args of [
      ['run', '--simulate', '/bin/echo', '--help'],
      ['run', '--simulate', '--', '/bin/echo', '--help'],
    ])
      expect(await tracegate(...args)).toMatchObject({ status: 0, stdout: '--help\n' })
  })

  it.each(['--version', '-v', '-V'])('prints its version: %s', async option => {
    expect(await tracegate(option)).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  it.each([
    [[], 'missing command'],
    [['--', '/bin/true'], 'missing command'],
    [['fly'], "unknown command 'fly'"],
    [['/bin/true'], "unknown command '/bin/true'"],
    [['--fly'], "unknown option '--fly'"],
    [['-j', 'run', '/bin/true'], "unknown option '-j'"],
    [['toString'], "unknown command 'toString'"],
    [['run'], 'missing program'],
    [['run', '--'], 'missing program'],
    [['run', '--', ''], 'missing program'],
    [['run', '--fly', '--', '/bin/true'], "unknown option '--fly'"],
    [['run', '--fly', '/bin/true'], "unknown option '--fly'"],
    [['run', '--no-json', '--', '/bin/true'], "unknown option '--no-json'"],
    [['run', '--jso', '--', '/bin/true'], "unknown option '--jso'"],
    [['run', '-j', '--', '/bin/true'], "unknown option '-j'"],
    [['run', '--json=yes', '--', '/bin/true'], "option '--json' does not take an argument"],
    [['run', '--detach', '--', '/bin/true'], "unknown option '--detach'"],
    [['run', '--uid', 'root', '--', '/bin/true'], "option '--uid' needs a number, 0 to 4294967294: 'root'"],
    [['run', '--gid=4294967295', '--', '/bin/true'], "option '--gid' needs a number"],
    [['run', '--env', 'A', '--', '/bin/true'], "option '--env' needs NAME=VALUE: 'A'"],
    [['run', '--env', '=A', '--', '/bin/true'], "option '--env' needs NAME=VALUE: '=A'"],
    [['run', '--rlimit', 'nofiles=5', '--', '/bin/true'], "unknown resource 'nofiles': did you mean 'nofile'?"],
    [['run', '--rlimit', 'RLIMIT_AS=5', '--', '/bin/true'], "unknown resource 'RLIMIT_AS': did you mean 'as'?"],
    [['run', '--rlimit', 'open files=5', '--', '/bin/true'], "unknown resource 'open files': one of "],
    [['run', '--rlimit', 'nofile', '--', '/bin/true'], "option '--rlimit' needs NAME=SOFT[:HARD]"],
    [['run', '--rlimit', 'nofile=a', '--', '/bin/true'], "option '--rlimit' needs NAME=SOFT[:HARD]"],
    [['run', '--rlimit', 'nofile=5:', '--', '/bin/true'], "option '--rlimit' needs NAME=SOFT[:HARD]"],
    [['run', '--rlimit=nofile=6:5', '--', '/bin/true'], "option '--rlimit' has a soft limit above the hard one"],
    [['run', '--rlimit', '--', '/bin/true'], "option '--rlimit' needs a value"],
    [['run', '--cwd=', '--', '/bin/true'], "option '--cwd' is empty"],
    [['run', '--no-aslr=yes', '--', '/bin/true'], "option '--no-aslr' does not take an argument"],
    [['hold'], 'missing program'],
    [['hold', '--json', '--', '/bin/true'], "unknown option '--json'"],
    [['hold', '--report', 'tcp:80', '--', '/bin/true'], "'--report' needs unix:PATH, fifo:PATH or fd:N, not 'tcp:80'"],
    [['hold', '--report', 'fd:x', '--', '/bin/true'], "'--report' needs fd:N with a number, not 'fd:x'"],
    [['hold', '--report', 'unix:', '--', '/bin/true'], "'--report' needs a path after unix:"],
    [['hold', '--report', `unix:/${'é'.repeat(54)}`, '--', '/bin/true'], "'--report' has a path of 109 bytes"],
    [['hold', '--report', 'fd:99999', '--', '/bin/true'], 'descriptor 99999 cannot be written: EBADF'],
    [['hold', '--tracer', 'all', '--', '/bin/true'], "'--tracer' needs a process id or any, not 'all'"],
    [['hold', '--tracer', '0', '--', '/bin/true'], "'--tracer' needs a process id or any, not '0'"],
    [['hold', '--pid-file', '--', '/bin/true'], "option '--pid-file' needs a value"],
    [['hold', '--timeout', '0', '--', '/bin/true'], "'--timeout' needs a number of seconds"],
    [['hold', '--timeout', '5s', '--', '/bin/true'], "not '5s'"],
    [['hold', '--timeout=1e9', '--', '/bin/true'], "not '1e9'"],
    [['hold', '--timeout', '2147484', '--', '/bin/true'], "not '2147484'"],
    [['hold', '--detach', '--timeout', '5', '--', '/bin/true'], "'--timeout' cannot go with '--detach'"],
    [['with'], "missing the tool's line"],
    [['with', '--', '/bin/true'], 'missing'],
    [['with', 'gdb', '--', '/bin/true'], '{pid}'],
    [['with', 'gdb -p {pid}'], 'missing program'],
    [['with', 'gdb -p {pid}', 'more', '--', '/bin/true'], "unexpected argument 'more' before --"],
    [['with', 'gdb -p {pid}', '/bin/true'], "missing -- before the program: '/bin/true'"],
    [['explore', '--svg'], "option '--svg' needs a value"],
    [['run', '--output'], "option '--output' needs a value"],
    [['run', '--output', '--', '/bin/true'], "option '--output' needs a value"],
    [['run', '--output=', '/bin/true'], "option '--output' is empty"],
    [['run', '--output', 'report'], 'missing program'],
    [['run', '--output', 'fd:', '/bin/true'], "needs fd:N with a number, not 'fd:'"],
    [['run', '--output', 'fd:-1', '/bin/true'], "needs fd:N with a number, not 'fd:-1'"],
    [['run', '--output', 'fd:99999', '/bin/true'], 'descriptor 99999 cannot be written: EBADF'],
    [['rnu'], "unknown command 'rnu': did you mean 'run'?"],
    [['dcotor'], "unknown command 'dcotor': did you mean 'doctor'?"],
    [['--hlep'], "unknown option '--hlep': did you mean '--help'?"],
    [['run', '--timelin', '/bin/true'], "unknown option '--timelin': did you mean '--timeline'?"],
    [['run', '--time', '/bin/true'], "unknown option '--time': did you mean '--timeline'?"],
    [['hold', '--deatch', '/bin/true'], "unknown option '--deatch': did you mean '--detach'?"],
    [[''], "unknown command ''"],
    [['run', ''], 'missing program'],
    [['a\u001b[31m\nb'], "unknown command 'a\\e[31m\\nb'"],
    [['x'.repeat(100_000)], `unknown command '${'x'.repeat(200)}…'`],
    [['run', '--\u009b', '/bin/true'], "unknown option '--\\x9b'"],
    [['explore', '--svg='], "option '--svg' is empty"],
    [['explore', '--json=yes'], "option '--json' does not take an argument"],
    [['explore', '--timeline'], "unknown option '--timeline'"],
    [['explore', '/bin/true'], "unexpected argument '/bin/true'"],
    [['explore', '--', '/bin/true'], "unexpected argument '/bin/true'"],
    [['with', '--hold', 'main', 'gdb -p {pid}', '--', 'x'], "'--hold' needs one of exec, gate, not 'main'"],
    [
      ['with', '--release', 'soon', 'gdb -p {pid}', '--', 'x'],
      "'--release' needs one of attached, tool-exit, fd, tool",
    ],
    [['with', '--match', 'bin/cc1', 'gdb -p {pid}', '--', 'x'], "'--match' needs a name, not a path: 'bin/cc1'"],
    [['with', '--match', '', 'gdb -p {pid}', '--', 'x'], "'--match' is empty"],
    [
      ['with', '--match', 'cc1', '--hold', 'gate', 'gdb -p {pid}', '--', 'x'],
      "'--match' cannot go with '--hold gate': a program's name is known at its exec only",
    ],
    [['with', '--detach', 'gdb -p {pid}', '--', '/bin/true'], "unknown option '--detach'"],
  ])('refuses %j with exit status 2 and one line that says why', async (args, why) => {
    const { status, stdout, stderr } = await tracegate(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^tracegate: [^\n]*\n$/)
    expect(stderr).toContain(why)
  })
})
