import { expect, it } from 'vitest'
import { failure, heldChild, thrown } from './helpers.ts'
import { describeContract } from './suite.ts'

describeContract('sending signals', world => {
  const gone = () => {
    const pid = world.system.fork({ actions: [] })
    world.system.waitpid(pid)
    return pid
  }

  it('takes names and numbers', () => {
    for (const [signal, number] of [
      ['SIGTERM', 15],
      [15, 15],
      ['SIGRTMIN+1', 35],
      [35, 35],
      ['SIGRTMAX', 64],
      ['SIGRTMAX-1', 63],
      ['SIG33', 33],
      ['SIGPOLL', 29],
    ] as const) {
      const child = heldChild(world.system)
      world.system.kill(child.pid, signal as never)
      expect(world.system.waitpid(child.pid)?.raw).toBe(number)
    }
  })

  it('0 asks whether the process is there and does nothing to it', () => {
    const child = heldChild(world.system, { after: [{ op: 'exit', code: 3 }] })
    world.system.kill(child.pid, 0)
    child.release()
    expect(world.system.waitpid(child.pid)?.raw).toBe(0x0300)
  })

  it('a child that has ended and was not waited for is still there', () => {
    const pid = world.system.fork({ actions: [] })
    // A zombie accepts every signal.
    world.system.kill(pid, 0)
    world.system.kill(pid, 'SIGCONT')
    expect(world.system.waitpid(pid)?.raw).toBe(0)
  })

  it('to what is not there is ESRCH', () => {
    expect(failure(() => world.system.kill(gone(), 0))).toBe('ESRCH')
    expect(failure(() => world.system.kill(gone(), 'SIGKILL'))).toBe('ESRCH')
    expect(failure(() => world.system.kill(2147483647, 'SIGKILL'))).toBe('ESRCH')
    expect(failure(() => world.system.kill(-2147483648, 'SIGKILL'))).toBe('ESRCH')
    expect(failure(() => world.system.kill(-2147483647, 'SIGKILL'))).toBe('ESRCH')
  })

  it.for([65, 1000, -1, -2147483648, 2147483647])('signal %i, which there is not, is EINVAL', signal => {
    const child = heldChild(world.system)
    expect(failure(() => world.system.kill(child.pid, signal))).toBe('EINVAL')
    child.abandon()
    expect(world.system.waitpid(child.pid)?.raw).toBe(126 << 8)
  })

  it('an error names the call and the process', () => {
    expect(thrown(() => world.system.kill(2147483647, 0))).toMatchObject({
      name: 'SystemError',
      code: 'ESRCH',
      errno: -3,
      syscall: 'kill',
      pid: 2147483647,
      message: 'ESRCH: no such process, kill',
    })
  })

  it('an unknown signal name is refused as Node refuses it', () => {
    for (const name of ['SIGNOTHING', 'TERM', 'sigterm', '', 'SIG0']) {
      expect(thrown(() => world.system.kill(2147483647, name as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_UNKNOWN_SIGNAL',
      })
    }
  })

  it('standard signals that come twice are one, and the lowest is delivered first', () => {
    const child = heldChild(world.system)
    world.system.kill(child.pid, 'SIGSTOP')
    world.system.waitpid(child.pid, 2)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) world.system.kill(child.pid, signal)
    world.system.kill(child.pid, 'SIGCONT')
    expect(world.system.waitpid(child.pid)?.raw).toBe(1)
  })
})
