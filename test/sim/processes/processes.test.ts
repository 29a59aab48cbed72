import { describe, expect, it } from 'vitest'
import { bytes, constants, exec, outcome, program, read, wait, world } from '../world.ts'

const { WNOHANG, WUNTRACED, WCONTINUED, O_CLOEXEC } = constants

/** A host with children that live until a gate opens or they are killed. */
function held() {
  const { host, kernel } = world()
  kernel.install('/stays', function* (process) {
    for (;;) yield* process.sleep(1_000_000)
  })
  kernel.install('/pauses', function* (process) {
    yield* process.pause()
  })
  const start = (file = '/pauses') => {
    const pid = host.fork(program(exec(file)))
    kernel.settle()
    return pid
  }
  return { host, kernel, start }
}

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

describe('child programs', () => {
  it('report the first action that fails, and exit with 127', () => {
    const { host } = world()
    const [r, w] = host.pipe2(O_CLOEXEC)
    const pid = host.fork({
      report: w,
      actions: [
        { op: 'chdir', path: '/' },
        { op: 'close', fd: 99 },
      ],
    })
    const record = new Uint8Array(16)
    expect(host.read(r, record)).toBe(8)
    expect([...new Int32Array(record.buffer, 0, 2)]).toEqual([1, 9])
    expect(wait(host, pid)).toBe(127 << 8)
  })

  it('take end of file at a read as an abort: 126', () => {
    const { host } = world()
    const [r, w] = host.pipe2()
    const pid = host.fork(program({ op: 'close', fd: w }, { op: 'read', fd: r, bytes: 4 }))
    host.write(w, bytes(3))
    host.close(w)
    expect(wait(host, pid)).toBe(126 << 8)
  })

  it('close unlisted descriptors, open /dev/null, and change directories', () => {
    const { host, kernel } = world()
    const seen: unknown[] = []
    kernel.install('/opt/tool/inspect', function* (process) {
      seen.push(process.directory, process.argv, process.env)
      seen.push(yield* process.read(7, new Uint8Array(4)), yield* process.write(7, bytes(9)))
      for (const fd of [0, 3]) {
        try {
          yield* process.fcntl(fd, constants.F_GETFD)
          seen.push(`${fd} open`)
        } catch (error) {
          seen.push((error as { code: string }).code)
        }
      }
    })
    host.pipe2()
    const pid = host.fork(
      program(
        { op: 'chdir', path: '/opt' },
        { op: 'closeAllExcept', fds: [0] },
        { op: 'open', path: '/dev/null', flags: constants.O_RDWR, target: 7 },
        { op: 'execve', files: ['/nowhere', 'tool/inspect'], argv: ['inspect', '-v'], env: ['A=1'] },
      ),
    )
    expect(wait(host, pid)).toBe(0)
    expect(seen).toEqual(['/opt', ['inspect', '-v'], ['A=1'], 0, 9, '0 open', 'EBADF'])
  })
})

describe('programs', () => {
  it('/bin/true, /bin/false and /bin/echo behave as on Linux', () => {
    const { host } = world()
    const [r, w] = host.pipe2(O_CLOEXEC)
    const run = (file: string, ...args: string[]) =>
      wait(host, host.fork(program({ op: 'dup2', fd: w, target: 1 }, exec(file, ...args))))
    expect([run('/bin/true'), run('/bin/false'), run('/bin/echo', 'a', 'b'), run('/bin/echo', '-n', 'c')]).toEqual([
      0, 0x100, 0, 0,
    ])
    expect(read(host, r)).toBe('a b\nc')
  })

  it('/bin/cat copies its input to its output, a MiB too', () => {
    const { host } = world()
    const [ir, iw] = host.pipe2(O_CLOEXEC)
    const [or, ow] = host.pipe2(O_CLOEXEC)
    const pid = host.fork(
      program({ op: 'dup2', fd: ir, target: 0 }, { op: 'dup2', fd: ow, target: 1 }, exec('/bin/cat')),
    )
    host.close(ir)
    host.close(ow)
    let copied = 0
    for (let sent = 0; sent < 1 << 20; sent += 65_536) {
      host.write(iw, bytes(65_536))
      while (copied < sent + 65_536) copied += host.read(or, new Uint8Array(10_000))
    }
    host.close(iw)
    expect([read(host, or), wait(host, pid), copied]).toEqual(['', 0, 1 << 20])
  })

  it('/bin/sleep sleeps by the world’s clock, which jumps', () => {
    const { host } = world()
    expect(wait(host, host.fork(program(exec('/bin/sleep', '1m', '0.5'))))).toBe(0)
    expect(host.now()).toBe(60_500)
  })

  it('an exec of a missing path is ENOENT, of a directory EACCES, below a file ENOTDIR', () => {
    const { host, kernel } = world()
    const codes: unknown[] = []
    kernel.install('/tries', function* (process) {
      for (const path of ['/bin/nope', '/bin', '/bin/true/x', '']) {
        try {
          yield* process.execve(path)
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
    })
    host.waitpid(host.fork(program(exec('/tries'))))
    expect(codes).toEqual(['ENOENT', 'EACCES', 'ENOTDIR', 'ENOENT'])
  })

  it('share memory between threads, and end together', () => {
    const { host, kernel } = world()
    const cells = [0, 1].map(() => kernel.cell(0))
    kernel.install('/threads', function* (process) {
      for (const cell of cells) {
        yield* process.thread(function* (thread) {
          yield* thread.store(cell, (yield* thread.load(cell)) + thread.tid)
        })
      }
      yield* process.sleep(1)
      yield* process.thread(function* (thread) {
        yield* thread.exit(5)
      })
      yield* process.pause()
    })
    const pid = host.fork(program(exec('/threads')))
    expect(wait(host, pid)).toBe(0x500)
    expect(cells.map(cell => cell.value)).toEqual([pid + 1, pid + 2])
  })
})
