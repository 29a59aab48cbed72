/** `tracegate hold --report`: what the command says to an adapter, and does at its word. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { HeldMessage } from '../../lib/rendezvous/protocol.ts'
import { describeNative } from '../support/describe-native.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type Adapter, startAdapter } from './adapter.ts'
import {
  eventually,
  isGone,
  type Running,
  script,
  skipped,
  start,
  startProgram,
  stateOf,
  tracegate,
  untilItLooked,
  whyNotAttach,
} from './command.ts'

const folder = temporaryFolder()
const gdb = whyNotAttach('gdb')

const killed = (pid: number, why: string) =>
  `tracegate: process ${pid} was killed ${why} before it was let go: it has not run\n`
const tracerOf = (pid: number) => Number(/^TracerPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** Holds a program for an adapter. */
async function holdFor(adapter: Adapter, program: readonly string[], ...options: readonly string[]) {
  const running = start(['hold', '--report', adapter.address, ...options, '--', ...program])
  return { running, pid: await heldBy(adapter, running) }
}

async function heldBy(adapter: Adapter, running: Running): Promise<number> {
  const message = await Promise.race([adapter.next(), running.finished])
  if (message === undefined || !('kind' in message) || message.kind !== 'held') {
    throw new Error(`not held: ${JSON.stringify(message)}`)
  }
  return message.pid
}

const echo = ['/bin/sh', '-c', 'echo ran; exit 7']

describeNative('tracegate hold --report unix:PATH', () => {
  it('says what program is held, and keeps it in a ptrace stop', async () => {
    await using adapter = await startAdapter(folder)
    const running = start(['hold', '--report', adapter.address, '--', ...echo])
    const held = (await adapter.next()) as HeldMessage
    const { pid } = held
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    expect(held).toEqual({ v: 1, kind: 'held', pid, startTime: Number(stat[19]), tty: null, program: '/bin/sh' })
    expect({ state: stateOf(pid), tracer: tracerOf(pid) }).toEqual({ state: 't', tracer: running.process.pid })
    await adapter.say('release')
    expect(await adapter.next()).toEqual({ kind: 'exited', code: 7, signal: null })
    expect(await adapter.next()).toBeUndefined()
    expect(await running.finished).toEqual({
      status: 7,
      signal: null,
      stdout: 'ran\n',
      stderr: `tracegate: '/bin/sh' is held as process ${pid}: its adapter attaches a debugger or lets it go\n`,
    })
  })

  it('leaves it in state T, untraced, at the word attach', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    await adapter.say('attach')
    expect(await adapter.next()).toEqual({ kind: 'attachable' })
    expect({ state: stateOf(pid), tracer: tracerOf(pid) }).toEqual({ state: 'T', tracer: 0 })
    process.kill(pid, 'SIGCONT')
    expect(await adapter.next()).toEqual({ kind: 'exited', code: 7, signal: null })
    expect((await running.finished).status).toBe(7)
  })

  it('takes words in any pieces, several at once, and unknown ones', async () => {
    await using adapter = await startAdapter(folder)
    const { running } = await holdFor(adapter, echo)
    const starter = await adapter.starter
    for (const byte of Buffer.from('{"kind":"later"}\n{"kind":"att')) starter.write(Buffer.of(byte))
    starter.write('ach"}\n{"kind":"release"}\n')
    expect(await adapter.next()).toEqual({ kind: 'attachable' })
    expect(await adapter.next()).toEqual({ kind: 'exited', code: 7, signal: null })
    expect((await running.finished).stdout).toBe('ran\n')
  })

  it('keeps it through SIGCONT, SIGTSTP and SIGSTOP', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    process.kill(pid, 'SIGTSTP')
    process.kill(pid, 'SIGCONT')
    process.kill(pid, 'SIGSTOP')
    process.kill(pid, 'SIGCONT')
    expect({ state: stateOf(pid), tracer: tracerOf(pid) }).toEqual({ state: 't', tracer: running.process.pid })
    await adapter.say('release')
    expect((await running.finished).stdout).toBe('ran\n')
  })

  it.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGTERM', 143],
    ['SIGQUIT', 131],
  ] as const)('kills it unrun at %s before the word, and says so to both', async (signal, status) => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    running.process.kill(signal)
    expect(await adapter.next()).toEqual({ kind: 'exited', code: null, signal: 'SIGKILL' })
    const finished = await running.finished
    expect(finished).toMatchObject({ status, stdout: '' })
    expect(finished.stderr).toContain(killed(pid, `by ${signal}`))
  })

  it('kills it at SIGINT also where the program and the command ignore that', async () => {
    await using adapter = await startAdapter(folder)
    const line = `trap '' INT; exec '${script}' hold --report ${adapter.address} -- /bin/sh -c 'echo ran'`
    const running = startProgram('/bin/sh', ['-c', line])
    const pid = await heldBy(adapter, running)
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^SigIgn:\t0*2$/m)
    running.process.kill('SIGINT')
    expect(await adapter.next()).toEqual({ kind: 'exited', code: null, signal: 'SIGKILL' })
    expect(await running.finished).toMatchObject({ status: 130, stdout: '' })
  })

  it('kills it unrun at its deadline', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo, '--timeout', '0.3')
    expect(await adapter.next()).toEqual({ kind: 'exited', code: null, signal: 'SIGKILL' })
    const finished = await running.finished
    expect(finished).toMatchObject({ status: 124, stdout: '' })
    expect(finished.stderr).toContain(killed(pid, 'at its deadline'))
  })

  it('kills it at the word abort', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    await adapter.say('abort')
    expect(await adapter.next()).toEqual({ kind: 'exited', code: null, signal: 'SIGKILL' })
    const finished = await running.finished
    expect(finished).toMatchObject({ status: 125, stdout: '' })
    expect(finished.stderr).toContain(killed(pid, 'at the request of its adapter'))
  })

  it('kills it when the adapter goes before a word', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    await adapter.die()
    const finished = await running.finished
    expect(finished).toMatchObject({ status: 125, stdout: '' })
    expect(finished.stderr).toContain(killed(pid, 'because its adapter has gone'))
    expect(isGone(pid)).toBe(true)
  })

  it('kills it when the adapter goes in the middle of a word', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    const starter = await adapter.starter
    starter.end('{"kind":"release"}')
    const finished = await running.finished
    expect(finished).toMatchObject({ status: 125, stdout: '' })
    expect(finished.stderr).toContain(killed(pid, 'because its adapter has gone'))
  })

  it('serves two adapters at once, each its own program', async () => {
    await using first = await startAdapter(folder)
    await using second = await startAdapter(folder)
    const held = await Promise.all([first, second].map(adapter => holdFor(adapter, echo)))
    await first.die()
    expect(await held[0]!.running.finished).toMatchObject({ status: 125, stdout: '' })
    expect({ state: stateOf(held[1]!.pid), tracer: tracerOf(held[1]!.pid) }).toEqual({
      state: 't',
      tracer: held[1]!.running.process.pid,
    })
    await second.say('release')
    expect(await second.next()).toEqual({ kind: 'exited', code: 7, signal: null })
    expect(await held[1]!.running.finished).toMatchObject({ status: 7, stdout: 'ran\n' })
  })

  it('kills it when what comes is no message, and says what came', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    ;(await adapter.starter).write('GET /\u001b[31m\n')
    const { status, stderr } = await running.finished
    expect(status).toBe(125)
    expect(stderr).toContain('the adapter is not understood')
    expect(stderr).not.toContain('\u001b')
    expect(stderr).toContain(killed(pid, 'because its adapter has gone'))
  })

  it.each(['attach', 'release'])('lets it run on when the adapter goes after the word %s', async word => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, ['/bin/sh', '-c', 'read x; echo "ran $x"; exit 7'])
    // `start` has ended the program's standard input.
    await adapter.say(word)
    if (word === 'attach') await adapter.next()
    await adapter.die()
    if (word === 'attach') {
      await eventually(() => stateOf(pid) === 'T', 'state T')
      process.kill(pid, 'SIGCONT')
    }
    expect(await running.finished).toMatchObject({ status: 7, stdout: 'ran \n' })
  })

  it('takes it along when it is killed itself before the word', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    running.process.kill('SIGKILL')
    expect(await adapter.next()).toBeUndefined()
    await running.finished
    await eventually(() => isGone(pid), `the end of ${pid}`)
  })

  it('says how it ended when another process kills it', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    process.kill(pid, 'SIGKILL')
    expect(await adapter.next()).toEqual({ kind: 'exited', code: null, signal: 'SIGKILL' })
    expect((await running.finished).status).toBe(137)
  })

  it('says why a program was not started', async () => {
    await using adapter = await startAdapter(folder)
    const running = start(['hold', '--report', adapter.address, '--', '/no/such/program'])
    expect(await adapter.next()).toEqual({
      kind: 'error',
      step: 'execve',
      code: 'ENOENT',
      path: '/no/such/program',
      message: "ENOENT: no such file or directory, execve '/no/such/program'",
    })
    expect(await adapter.next()).toBeUndefined()
    expect((await running.finished).status).toBe(127)
  })

  it('starts nothing where no adapter listens: no socket, a stale one, one of another kind', async () => {
    const stale = join(folder, 'stale')
    execFileSync('python3', ['-c', `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(stale)})`])
    const plain = join(folder, 'plain')
    writeFileSync(plain, '')
    for (const [path, code] of [
      [join(folder, 'none'), 'ENOENT'],
      [stale, 'ECONNREFUSED'],
      [plain, 'ECONNREFUSED'],
    ]) {
      const { status, stdout, stderr } = await tracegate('hold', '--report', `unix:${path}`, '--', ...echo)
      expect({ status, stdout, stderr }).toEqual({
        status: 125,
        stdout: '',
        stderr: `tracegate: cannot reach the adapter at '${path}': ${code}\n`,
      })
    }
  })

  it('runs nothing where the adapter turns it away', async () => {
    const path = join(folder, 'busy')
    const server = createServer(socket => socket.destroy()).listen(path)
    await once(server, 'listening')
    const { status, stdout } = await tracegate('hold', '--report', `unix:${path}`, '--', ...echo)
    server.close()
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' })
  })

  it('--detach leaves the program to the debugger once the adapter attaches', async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, ['/bin/sleep', '1000'], '--detach', '--timeout', '30')
    const exit = once(running.process, 'exit')
    await adapter.say('attach')
    expect(await adapter.next()).toEqual({ kind: 'attachable' })
    expect(await exit).toEqual([0, null])
    expect({ state: stateOf(pid), tracer: tracerOf(pid) }).toEqual({ state: 'T', tracer: 0 })
    process.kill(pid, 'SIGKILL')
    await running.finished
  })

  it.skipIf(gdb !== undefined)(`says that a debugger which was killed has left it stopped${skipped(gdb)}`, async () => {
    await using adapter = await startAdapter(folder)
    const { running, pid } = await holdFor(adapter, echo)
    await adapter.say('attach')
    await adapter.next()
    const debug = spawn('gdb', ['-q', '-nx', '-p', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = once(debug, 'exit')
    await eventually(() => tracerOf(pid) === debug.pid, 'gdb')
    let said = ''
    running.process.stderr!.on('data', (text: string) => {
      said += text
    })
    // Only a tracer that was there at an earlier look is missed at the next one.
    await untilItLooked(running.process.pid!)
    debug.kill('SIGKILL')
    await ended
    const line = `tracegate: process ${pid} was left stopped and is traced by nothing: gdb -p ${pid} debugs it, kill -CONT ${pid} lets it go\n`
    await eventually(() => said === line, 'the line')
    process.kill(pid, 'SIGCONT')
    expect((await running.finished).status).toBe(7)
  })
})
