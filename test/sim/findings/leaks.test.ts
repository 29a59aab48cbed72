import { describe, expect, it } from 'vitest'
import { findLeaks } from '../../../lib/sim/findings/leaks.ts'
import { LeakError } from '../../../lib/sim/index.ts'
import { constants, exec, program } from '../world.ts'
import { watched } from './run.ts'

const { WNOHANG, WUNTRACED } = constants

describe('what is left at the end', () => {
  it('is nothing where every descriptor is closed and every child reaped', () => {
    const { host, inner } = watched()
    const [r, w] = host.pipe2()
    host.waitpid(host.fork(program(exec('/bin/true'))))
    for (const fd of [r, w]) host.close(fd)
    expect(findLeaks(inner)).toBeUndefined()
  })

  it('is each descriptor that the host did not begin with, by its number and its file', () => {
    const { host, inner } = watched()
    const [, w] = host.pipe2()
    host.close(0)
    host.dup(w)
    const error = findLeaks(inner)
    expect(error).toBeInstanceOf(LeakError)
    expect(error).toMatchObject({
      code: 'ERR_LEAK',
      leaks: [
        { kind: 'descriptor', fd: 3 },
        { kind: 'descriptor', fd: 4 },
      ],
    })
    expect(error!.message).toMatch(
      /^left over at the end of the run:\n {2}fd 3 is open: the read end of pipe \d+\n {2}fd 4 is open: the write end of pipe \d+$/,
    )
    expect(findLeaks(inner, [0, 1, 2, 3, 4])).toBeUndefined()
  })

  it.each([
    ['exit', 'exited with 1'],
    ['SIGKILL', 'was killed by SIGKILL'],
  ] as const)('is a zombie, with how it ended: %s', (how, text) => {
    const { kernel, host, inner } = watched()
    const child = host.fork(program(exec(how === 'exit' ? '/bin/false' : '/bin/cat')))
    if (how === 'SIGKILL') host.kill(child, how)
    kernel.settle()
    expect(findLeaks(inner)).toMatchObject({ leaks: [{ kind: 'process', pid: child, state: 'zombie' }] })
    expect(findLeaks(inner)!.message).toContain(
      `a child of 100 (host), is a zombie: it ${text} and has not been waited for`,
    )
    host.waitpid(child)
    expect(findLeaks(inner)).toBeUndefined()
  })

  it('is a stopped child, by what it was stopped', () => {
    const { host, inner } = watched()
    const child = host.fork(program({ op: 'raise', signal: 'SIGSTOP' }, exec('/bin/true')))
    host.waitpid(child, WUNTRACED)
    expect(findLeaks(inner)).toMatchObject({ leaks: [{ pid: child, state: 'stopped' }] })
    expect(findLeaks(inner)!.message).toMatch(/is stopped by SIGSTOP, until a SIGCONT/)
  })

  it('is a child held by its tracer, by its stop', () => {
    const { host, inner } = watched()
    const child = host.fork(program({ op: 'traceme' }, exec('/bin/true')))
    host.waitpid(child)
    expect(findLeaks(inner)).toMatchObject({ leaks: [{ pid: child, program: '/bin/true', state: 'held' }] })
    expect(findLeaks(inner)!.message).toContain('(/bin/true), a child of 100 (host), is in a ptrace stop (SIGTRAP)')
  })

  it('is a child that still runs, by what it waits on', () => {
    const { kernel, host, inner } = watched()
    const [r, w] = host.pipe2()
    const child = host.fork(program({ op: 'dup2', fd: r, target: 0 }, exec('/bin/cat')))
    host.close(r)
    kernel.settle()
    const error = findLeaks(inner, [0, 1, 2, w])
    expect(error).toMatchObject({ leaks: [{ pid: child, program: '/bin/cat', state: 'running' }] })
    expect(error!.message).toContain('(/bin/cat), a child of 100 (host), is still running: it waits to read')
    host.kill(child, 'SIGKILL')
    host.waitpid(child)
    expect(findLeaks(inner, [0, 1, 2, w])).toBeUndefined()
  })

  it('is an orphan that the scenario can no longer wait for', () => {
    const { kernel, host, inner } = watched()
    kernel.install('/parent', function* (self) {
      yield* self.fork(function* (orphan) {
        yield* orphan.pause()
      })
    })
    host.waitpid(host.fork(program(exec('/parent'))))
    kernel.settle()
    expect(findLeaks(inner)).toMatchObject({ leaks: [{ state: 'running', parent: '1 (/sbin/init)' }] })
    expect(findLeaks(inner)!.message).toContain('a child of 1 (/sbin/init), is still running: it waits for a signal')
  })

  it('does not include processes that have ended and been reaped', () => {
    const { kernel, host, inner } = watched()
    const child = host.fork(program(exec('/bin/true')))
    expect(findLeaks(inner)).toMatchObject({ leaks: [{ pid: child, state: 'running' }] })
    kernel.settle()
    expect(host.waitpid(child, WNOHANG)).not.toBeNull()
    expect(findLeaks(inner)).toBeUndefined()
  })
})
