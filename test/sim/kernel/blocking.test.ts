import { describe, expect, it } from 'vitest'
import { type ExternalFile, HostKilledError, RandomScheduler, SimulatedKernel } from '../../../lib/sim/index.ts'
import { DeadlockError } from '../../../lib/system/errors.ts'
import { bytes, constants, exec, outcome, program, read, text, wait, world } from '../world.ts'

const { POLLIN, O_CLOEXEC } = constants

describe('a host call that blocks', () => {
  it('lets other tasks step until it can return', () => {
    const { host } = world()
    const [r, w] = host.pipe2()
    host.fork(program({ op: 'write', fd: w, data: text('from the child') }))
    expect(read(host, r)).toBe('from the child')
  })

  it('that can never end is a DeadlockError, which names each wait and what it waits for, and leaves the world usable', () => {
    const { host, kernel } = world()
    const [r, w] = host.pipe2()
    const [r2, w2] = host.pipe2()
    host.fork(program({ op: 'read', fd: r2, bytes: 1 }))
    const attempt = () => host.read(r, bytes(1))
    expect(attempt).toThrow(DeadlockError)
    expect(attempt).toThrow(
      /101 \(fork of host\) waits to read the read end of pipe \d+ \(fd 5\), whose other end 100 \(host\) holds as fd 6/,
    )
    expect(kernel.blocked()).toMatchObject([{ pid: 101, on: 'pipe-read', waitsFor: [100, 101] }])
    host.write(w2, bytes(1))
    host.write(w, text('still'))
    expect(read(host, r)).toBe('still')
  })

  it('waits for time to pass: virtual time jumps, real time is waited for', () => {
    for (const clock of ['virtual', 'real'] as const) {
      const { host } = world({ clock })
      const start = [host.now(), performance.now()] as const
      expect(wait(host, host.fork(program(exec('/bin/sleep', '0.05'))))).toBe(0)
      expect(host.now() - start[0]).toBeGreaterThanOrEqual(50)
      if (clock === 'real') expect(performance.now() - start[1]).toBeGreaterThanOrEqual(49)
    }
  })
})

describe('an awaited call', () => {
  it('settles as the world moves', async () => {
    const { host } = world()
    const [r, w] = host.pipe2(O_CLOEXEC)
    host.fork(program({ op: 'dup2', fd: w, target: 1 }, exec('/bin/echo', 'hi')))
    expect(await host.ready(r, POLLIN)).toBe(POLLIN)
    expect(read(host, r)).toBe('hi\n')
  })

  it('of a killed process never settles, and its child listeners are never called', async () => {
    const { host, kernel } = world()
    const settled: string[] = []
    const [r, w] = host.pipe2()
    host.onChildChange(() => settled.push('child'), { keepAlive: false })
    for (const awaited of [host.ready(r, POLLIN), host.sleep(5)]) {
      const tell = () => settled.push('settled')
      awaited.then(tell, tell)
    }
    host.fork(program({ op: 'write', fd: w, data: bytes(1) }))
    expect(() => host.kill(100, 'SIGKILL')).toThrow(HostKilledError)
    kernel.settle()
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
    expect(settled).toEqual([])
    // A turn would find nothing to settle, and be followed by the next.
    expect(process.getActiveResourcesInfo()).not.toContain('Immediate')
  })

  it('rejects with EBADF for no descriptor, and when it is closed or replaced', async () => {
    const { host } = world()
    const [r, w] = host.pipe2()
    await expect(host.ready(99, POLLIN)).rejects.toMatchObject({ code: 'EBADF' })
    const waits = [host.ready(r, POLLIN), host.ready(r, POLLIN)]
    host.close(r)
    for (const each of waits) await expect(each).rejects.toMatchObject({ code: 'EBADF' })
    const [r2] = host.pipe2()
    const replaced = host.ready(r2, POLLIN)
    host.dup3(w, r2)
    await expect(replaced).rejects.toMatchObject({ code: 'EBADF' })
  })

  it('rejects with the reason of its signal', async () => {
    const { host } = world({ clock: 'real' })
    const [r] = host.pipe2()
    const controller = new AbortController()
    const { signal } = controller
    const waits = [host.ready(r, POLLIN, { signal }), host.sleep(1e6, { signal })]
    controller.abort('enough')
    for (const each of waits) await expect(each).rejects.toBe('enough')
    await expect(host.sleep(1, { signal })).rejects.toBe('enough')
  })

  it('of time settles in the order of the times, and takes no real time', async () => {
    const { host } = world()
    const order: number[] = []
    // In real time it would not end within the test's.
    const hour = 3_600_000
    await Promise.all(
      [3 * hour, hour, 2 * hour].map(async ms => {
        await host.sleep(ms)
        order.push(host.now())
      }),
    )
    expect(order).toEqual([hour, 2 * hour, 3 * hour])
  })

  it('that nothing can end stays pending, and blocked() lists every wait', async () => {
    const { host, kernel } = world()
    const [r] = host.pipe2()
    host.fork(program({ op: 'read', fd: r, bytes: 1 }))
    let settled = false
    host.ready(r, POLLIN).then(() => {
      settled = true
    })
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(settled).toBe(false)
    expect(kernel.blocked()).toMatchObject([
      { pid: 101, on: 'pipe-read', awaited: false },
      { pid: 100, on: 'poll', awaited: true },
    ])
  })

  it('of children is called for each change, never within a call, and not once unsubscribed', async () => {
    const { host } = world()
    let heard = 0
    const stop = host.onChildChange(() => heard++)
    const pid = host.fork(program(exec('/bin/sleep', '1')))
    expect(wait(host, pid)).toBe(0)
    expect(heard).toBe(0)
    await host.sleep(1)
    expect(heard).toBe(1)
    stop()
    host.waitpid(host.fork(program()))
    await host.sleep(1)
    expect(heard).toBe(1)
  })
})

describe('scheduling', () => {
  const run = (seed?: number) => {
    const { host, kernel } = world(seed === undefined ? {} : { seed })
    const order: string[] = []
    for (const name of ['a', 'b', 'c']) {
      kernel.install(`/${name}`, function* (process) {
        for (let i = 0; i < 5; i++) {
          order.push(name)
          yield* process.sleep(0)
        }
      })
      host.fork(program(exec(`/${name}`)))
    }
    for (let i = 0; i < 3; i++) host.waitpid(-1)
    return order.join('')
  }

  it('takes turns by default', () => {
    expect(run()).toMatch(/abcabc/)
    expect(run()).toBe(run())
  })

  it('with a seed is random, and the same for each run with that seed', () => {
    const runs = [1, 2, 3, 4, 5].map(run)
    expect(new Set(runs).size).toBeGreaterThan(2)
    expect([1, 2, 3, 4, 5].map(run)).toEqual(runs)
  })

  it('asks one scheduler for every choice, and follows its answers', () => {
    const kinds = new Set<string>()
    const random = new RandomScheduler(7)
    const kernel = new SimulatedKernel({
      scheduler: {
        choose(choice) {
          kinds.add(choice.kind)
          expect(choice.options.length).toBeGreaterThan(1)
          return random.choose(choice)
        },
      },
    })
    kernel.install('/handles', function* (process) {
      yield* process.sigaction('SIGUSR1', function* () {})
      yield* process.thread(function* (thread) {
        yield* thread.sleep(100)
      })
      for (let i = 0; i < 200; i++) yield* process.sleep(i % 10 === 0 ? 1 : 0)
    })
    const { host } = kernel
    const pid = host.fork(program(exec('/handles')))
    for (let i = 0; i < 20; i++) {
      outcome(() => host.poll([], 1))
      host.kill(pid, 'SIGUSR1')
    }
    expect([...kinds].sort()).toEqual(['signal', 'signal-thread', 'step'])
  })
})

describe('descriptors 0 to 2', () => {
  it('are /dev/null without files outside', () => {
    const { host } = world()
    expect([host.read(0, bytes(1)), host.write(1, bytes(3))]).toEqual([0, 3])
    expect(host.pipe2()).toEqual([3, 4])
  })

  it('are the files outside that are given: output is written there, input awaited from there', async () => {
    let output = ''
    let input: Uint8Array | null | undefined
    let isAwaited = false
    let changed = () => {}
    const terminal: ExternalFile = {
      read(buffer) {
        isAwaited = input === undefined
        if (input === undefined) return undefined
        if (input === null) return 0
        buffer.set(input)
        const { length } = input
        input = undefined
        return length
      },
      watch(callback) {
        changed = callback
        return () => {}
      },
    }
    const sink: ExternalFile = {
      write(data) {
        output += new TextDecoder().decode(data)
      },
    }
    const { host } = world({ clock: 'real', stdio: { 0: terminal, 1: sink } })
    const ended = new Promise<number>(resolve => {
      const stop = host.onChildChange(() => {
        const status = wait(host, -1, constants.WNOHANG)
        if (status === null) return
        stop()
        resolve(status)
      })
    })
    host.fork(program(exec('/bin/cat')))
    const give = async (next: Uint8Array | null) => {
      while (!isAwaited) await host.sleep(1)
      isAwaited = false
      input = next
      changed()
    }
    for (const part of ['one ', 'two']) await give(text(part))
    await give(null)
    expect([await ended, output]).toEqual([0, 'one two'])
  })
})

describe('limits', () => {
  it('RLIMIT_NOFILE: the lowest free number, then EMFILE, and a pair that does not fit leaks nothing', () => {
    const { host } = world({ limits: { nofile: 6 } })
    expect(host.pipe2()).toEqual([3, 4])
    for (const attempt of [() => host.pipe2(), () => host.socketpair(1, 1)])
      expect(outcome<unknown>(attempt)).toBe('EMFILE')
    expect(host.dup(3)).toBe(5)
    expect(outcome(() => host.dup(3))).toBe('EMFILE')
    host.close(4)
    expect(host.dup(3)).toBe(4)
  })

  it('dup3 beyond it is EBADF, F_DUPFD EINVAL; dup3 onto itself EINVAL', () => {
    const { host } = world({ limits: { nofile: 6 } })
    const [r] = host.pipe2()
    expect(outcome(() => host.dup3(r, 6))).toBe('EBADF')
    expect(outcome(() => host.fcntl(r, constants.F_DUPFD, 6))).toBe('EINVAL')
    expect(outcome(() => host.dup3(r, r))).toBe('EINVAL')
  })
})
