import { describe, expect, it } from 'vitest'
import { constants, exec, outcome, program, read, wait, world } from '../world.ts'
import { held } from './held.ts'

const { WNOHANG, WUNTRACED, WCONTINUED } = constants

describe('a process ends', () => {
  it('with (code & 255) << 8', () => {
    const { host } = world()
    const codes = [0, 7, 256, -1].map(code => wait(host, host.fork(program({ op: 'exit', code }))))
    expect(codes).toEqual([0, 0x0700, 0, 0xff00])
  })

  it('by a signal with its number, and 0x80 for a core dump when RLIMIT_CORE is above 0', () => {
    for (const [core, status] of [
      [0, 11],
      [1, 11 | 0x80],
    ] as const) {
      const { host } = world({ limits: { core } })
      expect(wait(host, host.fork(program({ op: 'raise', signal: 'SIGSEGV' })))).toBe(status)
      expect(wait(host, host.fork(program({ op: 'raise', signal: 'SIGTERM' })))).toBe(15)
    }
  })

  it('by SIGABRT when its program throws, and the error is kept', () => {
    const { host, kernel } = world()
    const fault = new Error('a fault')
    // biome-ignore lint/correctness/useYield: it fails at once
    kernel.install('/faulty', function* () {
      throw fault
    })
    const pid = host.fork(program(exec('/faulty')))
    expect(wait(host, pid)).toBe(6)
    expect(kernel.crashes).toEqual([{ pid, error: fault }])
  })

  it('closes its descriptors before it can be waited for', () => {
    const { host } = world({ scheduler: { choose: () => 0 } })
    const [r, w] = host.pipe2()
    const pid = host.fork(program({ op: 'exit', code: 0 }))
    host.close(w)
    expect(read(host, r)).toBe('')
    expect(host.waitpid(pid)?.raw).toBe(0)
  })
})

describe('waitpid', () => {
  it('with WNOHANG and nothing yet is null', () => {
    const { host, start } = held()
    expect(wait(host, start(), WNOHANG)).toBeNull()
  })

  it('is ECHILD for none, for a stranger and for one already reaped; ESRCH for the lowest int; EINVAL for unknown options', () => {
    const { host } = world()
    const pid = host.fork(program())
    expect(wait(host, pid)).toBe(0)
    expect([pid, 1, -1, 99_999].map(each => outcome(() => host.waitpid(each)))).toEqual(Array(4).fill('ECHILD'))
    expect(outcome(() => host.waitpid(-0x80000000))).toBe('ESRCH')
    expect(outcome(() => host.waitpid(-1, 0x40))).toBe('EINVAL')
  })

  it('of any child gives the oldest first, not the first to end', () => {
    const { host, kernel } = world()
    const [r] = host.pipe2()
    const first = host.fork(program({ op: 'read', fd: r, bytes: 1 }))
    const second = host.fork(program())
    kernel.settle()
    host.kill(first, 'SIGKILL')
    kernel.settle()
    expect([host.waitpid(-1)?.pid, host.waitpid(-1)?.pid]).toEqual([first, second])
  })

  it('of a group gives children of that group', () => {
    const { host, kernel } = world()
    const alone = host.fork(program({ op: 'setsid' }))
    const ours = host.fork(program())
    kernel.settle()
    expect(host.waitpid(-alone)?.pid).toBe(alone)
    expect(host.waitpid(0)?.pid).toBe(ours)
  })

  it('reports a stop with WUNTRACED once, a continuation with WCONTINUED as 0xffff', () => {
    const { host, kernel, start } = held()
    const pid = start()
    host.kill(pid, 'SIGSTOP')
    kernel.settle()
    expect(wait(host, pid, WNOHANG)).toBeNull()
    expect(wait(host, pid, WNOHANG | WUNTRACED)).toBe(0x137f)
    expect(wait(host, pid, WNOHANG | WUNTRACED)).toBeNull()
    host.kill(pid, 'SIGCONT')
    expect(wait(host, pid, WNOHANG | WCONTINUED)).toBe(0xffff)
    expect(wait(host, pid, WNOHANG | WCONTINUED)).toBeNull()
  })

  it('reports only the continuation after a stop no wait has seen, and no SIGCONT to a running process', () => {
    const { host, kernel, start } = held()
    const pid = start()
    host.kill(pid, 'SIGCONT')
    kernel.settle()
    expect(wait(host, pid, WNOHANG | WCONTINUED)).toBeNull()
    host.kill(pid, 'SIGSTOP')
    kernel.settle()
    host.kill(pid, 'SIGCONT')
    kernel.settle()
    expect(wait(host, pid, WNOHANG | WUNTRACED | WCONTINUED)).toBe(0xffff)
    expect(wait(host, pid, WNOHANG | WUNTRACED | WCONTINUED)).toBeNull()
  })
})

describe('stopped processes', () => {
  it('keep SIGTERM pending until they are continued, and die of SIGKILL', () => {
    const { host, kernel, start } = held()
    const [one, other] = [start(), start()]
    for (const pid of [one, other]) host.kill(pid, 'SIGSTOP')
    kernel.settle()
    host.kill(one, 'SIGTERM')
    host.kill(other, 'SIGKILL')
    kernel.settle()
    expect([wait(host, one, WNOHANG), wait(host, other, WNOHANG)]).toEqual([null, 9])
    host.kill(one, 'SIGCONT')
    expect(wait(host, one)).toBe(15)
  })

  it('are not stopped by SIGTSTP in an orphaned group, but are by SIGSTOP', () => {
    const { host, kernel } = world()
    kernel.install('/alone', function* (process) {
      yield* process.setsid()
      yield* process.raise('SIGTSTP')
      yield* process.raise('SIGSTOP')
    })
    const pid = host.fork(program(exec('/alone')))
    kernel.settle()
    expect(wait(host, pid, WNOHANG | WUNTRACED)).toBe(0x137f)
    host.kill(pid, 'SIGKILL')
    host.waitpid(pid)
  })

  it('are stopped by SIGTSTP in a group whose parent is in the same session', () => {
    const { host, kernel, start } = held()
    const pid = start()
    host.kill(pid, 'SIGTSTP')
    kernel.settle()
    expect(wait(host, pid, WNOHANG | WUNTRACED)).toBe(0x147f)
  })
})
