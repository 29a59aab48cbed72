import { describe, expect, it } from 'vitest'
import { bytes, constants, exec, outcome, program, read, wait, world } from '../world.ts'
import { held } from './held.ts'

const { O_CLOEXEC } = constants

describe('kill', () => {
  it('is EINVAL for a bad signal, ESRCH for no process, EPERM for init', () => {
    const { host } = world()
    const pid = host.fork(program())
    expect(outcome(() => host.kill(pid, 65))).toBe('EINVAL')
    expect(outcome(() => host.kill(99_999, 'SIGTERM'))).toBe('ESRCH')
    expect(outcome(() => host.kill(1, 'SIGTERM'))).toBe('EPERM')
  })

  it('has no effect on a zombie, and is ESRCH once it is reaped', () => {
    const { host, kernel } = world()
    const pid = host.fork(program())
    kernel.settle()
    host.kill(pid, 0)
    host.kill(pid, 'SIGKILL')
    expect(outcome(() => host.ptraceAttach(pid))).toBe('EPERM')
    expect(wait(host, pid)).toBe(0)
    expect([outcome(() => host.kill(pid, 0)), outcome(() => host.ptraceAttach(pid))]).toEqual(['ESRCH', 'ESRCH'])
  })

  it('of a group reaches all of its processes', () => {
    const { host, kernel } = world()
    kernel.install('/pair', function* (process) {
      yield* process.setsid()
      yield* process.fork(function* (child) {
        yield* child.pause()
      })
      yield* process.pause()
    })
    const pid = host.fork(program(exec('/pair')))
    kernel.settle()
    host.kill(-pid, 'SIGTERM')
    expect(wait(host, pid)).toBe(15)
    kernel.settle()
    expect(outcome(() => host.kill(-pid, 0))).toBe('ESRCH')
  })

  it('with a fatal signal decides the status at once: a later SIGKILL changes nothing', () => {
    const { host, start } = held()
    const pid = start()
    host.kill(pid, 'SIGTERM')
    host.kill(pid, 'SIGKILL')
    expect(wait(host, pid)).toBe(15)
  })

  it('of the host ends its world: its calls fail, its children are init’s', () => {
    const { host, kernel } = world()
    kernel.install('/killer', function* (process) {
      yield* process.kill(process.parentPid, 'SIGKILL')
    })
    const pid = host.fork(program(exec('/killer')))
    expect(() => host.waitpid(pid)).toThrow(/killed by signal 9/)
    expect(() => host.pipe2()).toThrow(/killed by signal 9/)
  })
})

describe('signals', () => {
  it('are delivered lowest number first, standard ones once, real-time ones as often as they were sent', () => {
    const { host, kernel } = world()
    const got: number[] = []
    const signals = ['SIGUSR2', 'SIGUSR1', 'SIGRTMIN+1', 'SIGRTMIN'] as const
    kernel.install('/handles', function* (process) {
      for (const signal of signals) {
        yield* process.sigaction(
          signal,
          // biome-ignore lint/correctness/useYield: it makes no call
          function* (_, number) {
            got.push(number)
          },
          { mask: [...signals] },
        )
      }
      yield* process.sigprocmask('block', signals)
      for (const signal of signals) for (let i = 0; i < 2; i++) yield* process.raise(signal)
      yield* process.sigprocmask('unblock', signals)
    })
    expect(wait(host, host.fork(program(exec('/handles'))))).toBe(0)
    expect(got).toEqual([10, 12, 34, 34, 35, 35])
  })

  it('end blocked calls with EINTR, or restart them with SA_RESTART', () => {
    for (const restart of [false, true]) {
      const { host, kernel } = world()
      const [r, w] = host.pipe2()
      kernel.install('/reader', function* (process) {
        yield* process.sigaction('SIGUSR1', function* () {}, { restart })
        try {
          yield* process.read(r, new Uint8Array(1))
          return 1
        } catch (error) {
          return (error as { errno: number }).errno === -4 ? 4 : 5
        }
      })
      const pid = host.fork(program(exec('/reader')))
      kernel.settle()
      host.kill(pid, 'SIGUSR1')
      kernel.settle()
      host.write(w, bytes(1))
      expect(wait(host, pid)).toBe(restart ? 0x100 : 0x400)
    }
  })

  it('end epoll_wait and poll with EINTR even with SA_RESTART; a stop and SIGCONT alone end only epoll_wait', () => {
    const { host, kernel } = world()
    const results: unknown[] = []
    kernel.install('/waits', function* (process) {
      yield* process.sigaction('SIGUSR1', function* () {}, { restart: true })
      const ep = yield* process.epollCreate1()
      const attempts = [() => process.epollWait(ep, 1, -1), () => process.poll([], 1000), () => process.poll([], -1)]
      for (const attempt of attempts) {
        try {
          results.push(yield* attempt())
        } catch (error) {
          results.push((error as { code: string }).code)
        }
      }
    })
    const pid = host.fork(program(exec('/waits')))
    const stopAndGo = () => {
      for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
        kernel.settle()
        host.kill(pid, signal)
      }
      kernel.settle()
    }
    stopAndGo()
    expect(results).toEqual(['EINTR'])
    stopAndGo()
    expect(results).toEqual(['EINTR'])
    expect(host.poll([], 2000)).toEqual([])
    expect(results).toEqual(['EINTR', []])
    host.kill(pid, 'SIGUSR1')
    kernel.settle()
    expect(results).toEqual(['EINTR', [], 'EINTR'])
    expect(wait(host, pid)).toBe(0)
  })

  it('five ends while SIGCHLD is blocked are one SIGCHLD', () => {
    const { host, kernel } = world()
    let count = 0
    kernel.install('/parent', function* (process) {
      // biome-ignore lint/correctness/useYield: it makes no call
      yield* process.sigaction('SIGCHLD', function* () {
        count++
      })
      yield* process.sigprocmask('block', ['SIGCHLD'])
      for (let i = 0; i < 5; i++) yield* process.fork(function* () {})
      yield* process.sleep(10)
      yield* process.sigprocmask('unblock', ['SIGCHLD'])
    })
    expect(wait(host, host.fork(program(exec('/parent'))))).toBe(0)
    expect(count).toBe(1)
  })

  it('SIGCHLD ignored, or SA_NOCLDWAIT, reaps children by itself: a blocking wait ends with ECHILD', () => {
    for (const ignored of [true, false]) {
      const { host, kernel } = world()
      kernel.install('/careless', function* (process) {
        if (ignored) yield* process.sigaction('SIGCHLD', 'ignore')
        else yield* process.sigaction('SIGCHLD', 'default', { noChildWait: true })
        const child = yield* process.fork(function* (self) {
          yield* self.sleep(10)
        })
        try {
          yield* process.waitpid(child)
          return 1
        } catch (error) {
          return (error as { code: string }).code === 'ECHILD' && process.now() === 10 ? 0 : 2
        }
      })
      expect(wait(host, host.fork(program(exec('/careless'))))).toBe(0)
    }
  })

  it('the end of the parent sends the PR_SET_PDEATHSIG signal', () => {
    const { host, kernel } = world()
    const [r, w] = host.pipe2(O_CLOEXEC)
    kernel.install('/parent', function* (process) {
      yield* process.fork({
        actions: [
          { op: 'parentDeathSignal', signal: 'SIGTERM' },
          { op: 'execve', files: ['/bin/sleep'], argv: ['sleep', '1000'], env: [] },
        ],
      })
      yield* process.sleep(1)
    })
    const pid = host.fork(program({ op: 'dup2', fd: w, target: 1 }, exec('/parent')))
    host.close(w)
    expect(wait(host, pid)).toBe(0)
    // End of file: the grandchild, which holds the other copy of the write end, is dead.
    expect([read(host, r), host.now()]).toEqual(['', 1])
  })
})
