/** Reports of a held program to a FIFO and to a descriptor, on which no adapter answers. */

import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { eventually, inShell, start, stateOf, tracegate, untilNoReader } from './command.ts'

const folder = temporaryFolder()

const echo = ['/bin/sh', '-c', 'echo ran; exit 7']

/** A FIFO, and a reader of it that takes one line at a time. */
function makeFifo(name: string) {
  const path = join(folder, name)
  execFileSync('mkfifo', [path])
  return { path, open: () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) }
}

/** What a descriptor gives until it ends with this text. */
async function readUntil(fd: number, end: string): Promise<string> {
  const bytes = Buffer.alloc(4096)
  let text = ''
  await eventually(() => {
    try {
      text += bytes.toString('utf8', 0, readSync(fd, bytes))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    return text.endsWith(end)
  }, end)
  return text
}

describeNative('tracegate hold --report fifo:PATH', () => {
  it('says it all to a reader, and holds the program in state T', async () => {
    const { path, open } = makeFifo('all')
    const fd = open()
    const running = start(['hold', '--report', `fifo:${path}`, '--', ...echo])
    const pid = await running.heldPid
    expect(stateOf(pid)).toBe('T')
    const said = (await readUntil(fd, '{"kind":"attachable"}\n')).split('\n')
    expect(JSON.parse(said[0]!)).toMatchObject({ v: 1, kind: 'held', pid, program: '/bin/sh' })
    process.kill(pid, 'SIGCONT')
    expect(await readUntil(fd, '}\n')).toBe('{"kind":"exited","code":7,"signal":null}\n')
    closeSync(fd)
    expect(await running.finished).toMatchObject({ status: 7, stdout: 'ran\n' })
  })

  it('waits for a reader while the program is held, and for the next one when it has gone', async () => {
    const { path, open } = makeFifo('late')
    const running = start(['hold', '--report', `fifo:${path}`, '--', ...echo])
    const pid = await running.heldPid
    const first = open()
    expect(await readUntil(first, '{"kind":"attachable"}\n')).toContain(`"pid":${pid}`)
    closeSync(first)
    const second = open()
    process.kill(pid, 'SIGCONT')
    expect(await readUntil(second, '}\n')).toContain('exited')
    closeSync(second)
    expect((await running.finished).status).toBe(7)
  })

  it('ends with the program, and by Ctrl-C, where the FIFO is read by nothing', async () => {
    const { path } = makeFifo('unread')
    const ended = start(['hold', '--report', `fifo:${path}`, '--', ...echo])
    process.kill(await ended.heldPid, 'SIGCONT')
    expect((await ended.finished).status).toBe(7)
    const interrupted = start(['hold', '--report', `fifo:${path}`, '--', ...echo])
    await interrupted.heldPid
    interrupted.process.kill('SIGINT')
    expect(await interrupted.finished).toMatchObject({ status: 130, stdout: '' })
    const late = await tracegate('hold', '--report', `fifo:${path}`, '--timeout', '0.2', '--', ...echo)
    expect(late).toMatchObject({ status: 124, stdout: '' })
  })

  it('says why a program was not started, to a reader that comes late too', async () => {
    const { path, open } = makeFifo('failed')
    const running = start(['hold', '--report', `fifo:${path}`, '--', '/no/such/program'])
    const fd = open()
    const said = JSON.parse(await readUntil(fd, '}\n')) as object
    closeSync(fd)
    expect(said).toMatchObject({ kind: 'error', step: 'execve', code: 'ENOENT', path: '/no/such/program' })
    expect((await running.finished).status).toBe(127)
  })

  it('refuses what is no FIFO before there is a program', async () => {
    const plain = join(folder, 'no-fifo')
    writeFileSync(plain, '')
    for (const [path, why] of [
      [plain, 'not a FIFO'],
      [join(folder, 'nothing'), 'ENOENT'],
      [join(plain, 'x'), 'ENOTDIR'],
    ]) {
      expect(await tracegate('hold', '--report', `fifo:${path}`, '--', ...echo)).toMatchObject({
        status: 125,
        stdout: '',
        stderr: `tracegate: cannot report to '${path}': ${why}\n`,
      })
    }
  })
})

describeNative('tracegate hold --report fd:N', () => {
  it('writes to the descriptor, which the program does not get', async () => {
    const line = `tracegate hold --report fd:3 -- /bin/sh -c 'ls /proc/self/fd; exit 7' 3>&1 >&2`
    const { stdout, stderr, status } = await inShell(
      `${line} | { read -r held; read -r attachable; echo "$held"; echo "$attachable"; pid=\${held#*pid\\":}; kill -CONT "\${pid%%,*}"; cat; }`,
    )
    expect(status).toBe(0)
    const [held, ...rest] = stdout.trimEnd().split('\n')
    expect(JSON.parse(held!)).toMatchObject({ v: 1, kind: 'held', program: '/bin/sh' })
    expect(rest).toEqual(['{"kind":"attachable"}', '{"kind":"exited","code":7,"signal":null}'])
    // ls has one more of its own, for the folder that it lists.
    expect(stderr).toMatch(/^0\n1\n2\n3$/m)
    expect(stderr).not.toMatch(/^4$/m)
  })

  it('does not wait for a pipe that is full, or has no reader', async () => {
    const fill = 'import os, sys; os.set_blocking(3, False)\nwhile os.write(3, b"x" * 4096): pass'
    const line = `python3 -c '${fill}' 2>/dev/null; python3 -c 'import os; os.set_blocking(3, True)'; tracegate hold --timeout 0.2 --report fd:3 -- /bin/true`
    expect(await inShell(`{ ${line}; echo "status $?" >&2; } 3>&1 | sleep 5`)).toMatchObject({
      stderr: expect.stringContaining('status 124'),
    })
    const closed = await inShell(
      `{ ${untilNoReader}; tracegate hold --timeout 0.2 --report fd:3 -- /bin/true; echo "status $?" >&2; } 3>&1 | :`,
    )
    expect(closed.stderr).toContain('status 124')
  })
})
