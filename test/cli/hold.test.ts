import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { eventually, heldLine, inShell, isGone, start, stateOf, tracegate } from './command.ts'

/** Whether a set of signals in /proc/PID/status contains SIGTERM. */
const hasSigterm = (pid: number, set: string) =>
  new RegExp(`^${set}:\\s+[0-9a-f]*[4-7c-f][0-9a-f]{3}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'))

describeNative('tracegate hold', () => {
  it('says the pid of a program in state T and the ways on, and stays until it ends', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', 'echo ran; exit 4'])
    const pid = await running.heldPid
    expect(stateOf(pid)).toBe('T')
    process.kill(pid, 'SIGCONT')
    expect(await running.finished).toMatchObject({ status: 4, stdout: 'ran\n', stderr: heldLine('/bin/sh', pid) })
  })

  it('--detach leaves the program in state T, alive after the command has ended', async () => {
    const running = start(['hold', '--detach', '--', '/bin/sleep', '1000'])
    const ended = once(running.process, 'exit')
    const pid = await running.heldPid
    try {
      expect(await ended).toEqual([0, null])
      expect(stateOf(pid)).toBe('T')
    } finally {
      process.kill(pid, 'SIGKILL')
    }
    // The program shares the command's standard output, which therefore ends with the program.
    await running.finished
    await eventually(() => isGone(pid), `the end of ${pid}`)
  })

  it('passes SIGTERM on to a program that was let go and has stopped itself', async () => {
    const running = start(['hold', '--', '/bin/sh', '-c', "trap 'exit 6' TERM; kill -STOP $$; while :; do :; done"])
    const pid = await running.heldPid
    process.kill(pid, 'SIGCONT')
    await eventually(() => hasSigterm(pid, 'SigCgt') && stateOf(pid) === 'T', 'its own stop')
    running.process.kill('SIGTERM')
    await eventually(() => hasSigterm(pid, 'ShdPnd'), 'SIGTERM')
    process.kill(pid, 'SIGCONT')
    expect(await running.finished).toMatchObject({ status: 6, stderr: heldLine('/bin/sh', pid) })
  })
})

describeNative('tracegate hold --timeout', () => {
  const unrun = 'before it was let go: it has not run'

  it('kills at its deadline a program that was not let go, unrun', async () => {
    for (const seconds of [0.2, 2, 20]) {
      const running = start(['hold', '--timeout', String(seconds), '--', '/bin/sh', '-c', 'echo ran'])
      const pid = await running.heldPid
      const finished = await running.finished
      // A busy machine takes longer than that to hold it.
      if (Number.isNaN(pid)) continue
      const killed = `tracegate: process ${pid} was killed at its deadline ${unrun}\n`
      expect(finished).toEqual({
        status: 124,
        signal: null,
        stdout: '',
        stderr: `${heldLine('/bin/sh', pid)}${killed}`,
      })
      expect(isGone(pid)).toBe(true)
      return
    }
    expect.unreachable('it is never held')
  })

  it('that is over before the program is held has the same status', async () => {
    for (let n = 0; n < 3; n++) {
      const { status, stdout } = await tracegate('hold', '--timeout', '0.001', '--', '/bin/sh', '-c', 'echo ran')
      expect({ status, stdout }).toEqual({ status: 124, stdout: '' })
    }
  })

  it('is nothing to a program that was let go', async () => {
    for (const seconds of [1, 4, 16]) {
      const program = ['/bin/sh', '-c', `sleep ${seconds + 0.5}; exit 7`]
      const running = start(['hold', '--timeout', String(seconds), '--', ...program])
      const pid = await running.heldPid
      if (!Number.isNaN(pid) && !isGone(pid)) process.kill(pid, 'SIGCONT')
      const { status, stderr } = await running.finished
      // On a busy machine the SIGCONT comes late.
      if (status === 124 && (Number.isNaN(pid) || stderr.includes(unrun))) continue
      expect(status).toBe(7)
      return
    }
    expect.unreachable('it is never let go in time')
  })
})

describeNative('tracegate hold --pid-file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracegate-hold-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const path = `${folder}/the pid`

  it('has the pid before the command announces it, and is gone once the program has ended', async () => {
    writeFileSync(path, 'of an earlier run, which was killed\n')
    const running = start(['hold', '--pid-file', path, '--', '/bin/true'])
    const pid = await running.heldPid
    expect(readFileSync(path, 'utf8')).toBe(`${pid}\n`)
    process.kill(pid, 'SIGCONT')
    expect((await running.finished).status).toBe(0)
    expect(readdirSync(folder)).toEqual([])
  })

  it('gives a script the pid of a program that is left behind', async () => {
    const { status, stdout } = await inShell(
      `tracegate hold --detach --pid-file '${path}' -- /bin/sh -c 'echo ran' && pid=$(cat '${path}') && kill -CONT "$pid"`,
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ran\n' })
    expect(readFileSync(path, 'utf8')).toMatch(/^\d+\n$/)
    rmSync(path)
  })

  it('leaves the file of another process', async () => {
    const running = start(['hold', '--pid-file', path, '--', '/bin/true'])
    const pid = await running.heldPid
    writeFileSync(path, '1\n')
    process.kill(pid, 'SIGCONT')
    await running.finished
    expect(readFileSync(path, 'utf8')).toBe('1\n')
    rmSync(path)
  })

  it('has the pid even where standard error is unusable', async () => {
    const { stdout } = await inShell(
      `tracegate hold --detach --pid-file '${path}' -- /bin/true 2>/dev/full; echo "status $?"; kill -CONT $(cat '${path}')`,
    )
    expect(stdout).toBe('status 0\n')
    rmSync(path)
  })

  it('may be a descriptor', async () => {
    const line = 'tracegate hold --detach --pid-file /dev/fd/3 -- /bin/true 3>&1 >/dev/null 2>/dev/null'
    const { stdout } = await inShell(`pid=$(${line}); kill -CONT "$pid" && echo "let go"`)
    expect(stdout).toBe('let go\n')
  })

  it('leaves what standard output has already, where that is a file', async () => {
    const line = 'tracegate hold --detach --pid-file /dev/stdout -- /bin/true 2>/dev/null'
    await inShell(`{ echo before; ${line}; echo after; } >'${path}'; kill -CONT $(sed -n 2p '${path}')`)
    expect(readFileSync(path, 'utf8')).toMatch(/^before\n\d+\nafter\n$/)
    rmSync(path)
  })

  it('may be a link, which stays one', async () => {
    const link = `${folder}/link`
    symlinkSync('the pid', link)
    const running = start(['hold', '--pid-file', link, '--', '/bin/true'])
    const pid = await running.heldPid
    expect(readFileSync(path, 'utf8')).toBe(`${pid}\n`)
    process.kill(pid, 'SIGCONT')
    await running.finished
    expect(readlinkSync(link)).toBe('the pid')
    rmSync(link)
    rmSync(path)
  })

  it.each([
    ['in no folder', '/no/such/folder/pid', 'ENOENT'],
    ['a folder', '/', 'EISDIR'],
    ['a descriptor that is not open', '/dev/fd/99999', 'EBADF'],
    ['behind a file', '/dev/null/pid', 'ENOTDIR'],
  ])('is refused before there is a program where it is %s', async (_, place, code) => {
    const { status, stdout, stderr } = await tracegate('hold', '--pid-file', place, '--', '/bin/echo', 'ran')
    expect({ status, stdout, stderr }).toEqual({
      status: 125,
      stdout: '',
      stderr: `tracegate: cannot write '${place}': ${code}\n`,
    })
  })

  it('is not left behind by a launch that fails', async () => {
    expect((await tracegate('hold', '--pid-file', path, '--', '/no/such/program')).status).toBe(127)
    expect(readdirSync(folder)).toEqual([])
  })
})
