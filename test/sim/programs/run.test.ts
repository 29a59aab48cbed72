import { describe, expect, it } from 'vitest'
import { explore, type Program, SimulatedKernel } from '../../../lib/sim/index.ts'
import { bytes, outcome, read, text } from '../world.ts'

describe('kernel.run', () => {
  it('gives how a program ended, and what it wrote', () => {
    const run = new SimulatedKernel().run(
      function* (process) {
        yield* process.write(1, text(`${process.argv.join(' ')} ${process.env.join(' ')}`))
        yield* process.write(2, text('complaint'))
        return 7
      },
      { argv: ['greet', 'world'], env: { KEY: 'value' } },
    )
    expect(run).toEqual({
      status: { kind: 'exited', code: 7, signal: null },
      crash: null,
      stdout: 'greet world KEY=value',
      stderr: 'complaint',
    })
  })

  it('gives the error that ended it', () => {
    const kernel = new SimulatedKernel()
    const { status, crash } = kernel.run(function* (process) {
      yield* process.schedYield()
      throw new Error('a bug')
    })
    expect(status).toMatchObject({ kind: 'signaled', signal: 'SIGABRT' })
    expect(crash).toMatchObject({ pid: kernel.crashes[0]!.pid, error: { message: 'a bug' } })
  })

  it('returns a byte order mark at the start of the output', () => {
    const input = '\ufeffmarked'
    expect(new SimulatedKernel().run('/bin/cat', { input }).stdout).toBe(input)
  })

  it('runs the program at a path, with input and whatever it writes', () => {
    const kernel = new SimulatedKernel()
    const input = 'é'.repeat(100_000)
    expect(kernel.run('/bin/cat', { input }).stdout).toBe(input)
    expect(kernel.run('/bin/cat').stdout).toBe('')
    expect(kernel.run('/bin/echo', { argv: ['echo', 'hi'] }).stdout).toBe('hi\n')
    expect(kernel.run('/bin/echo', { argv: ['echo', 'hi'], stdio: 'ignore' }).stdout).toBe('')
    expect(() => kernel.run('/bin/none')).toThrow(expect.objectContaining({ code: 'ENOENT', path: '/bin/none' }))
  })

  it.each([
    ['/bin', 'EACCES'],
    ['/bin/', 'EACCES'],
    ['/dev/null', 'EACCES'],
    ['/bin/true/', 'ENOTDIR'],
    ['/none/../bin/true', 'ENOENT'],
  ])('throws where the path is no program: %s %s', (path, code) => {
    const kernel = new SimulatedKernel()
    expect(() => kernel.run(path)).toThrow(expect.objectContaining({ code, syscall: 'execve', path }))
    expect(() => kernel.host.waitpid(-1)).toThrow(expect.objectContaining({ code: 'ECHILD' }))
  })

  it('throws where the exec fails, under a fault as well', async () => {
    const argv = ['echo', 'x'.repeat(140_000)]
    expect(() => new SimulatedKernel().run('/bin/echo', { argv })).toThrow(expect.objectContaining({ code: 'E2BIG' }))
    const codes = new Set<unknown>()
    await explore(
      ({ kernel }) => {
        codes.add(outcome(() => kernel.run('/bin/true').status.code))
      },
      { faults: 1 },
    )
    expect(codes).toEqual(new Set([0, null, 'EAGAIN', 'ENOMEM']))
  })

  it('gives the program argv[0] where it is given none, as Linux does', () => {
    const kernel = new SimulatedKernel()
    kernel.install('/args', function* (process) {
      yield* process.write(1, text(JSON.stringify(process.argv)))
    })
    expect(kernel.run('/args', { argv: [] }).stdout).toBe('[""]')
    expect(kernel.run(process => process.execve('/args', []) as never).stdout).toBe('[""]')
  })

  it('throws the first failure, and none of those that follow from it', async () => {
    const stopsItsParent: Program = process => process.kill(process.parentPid, 'SIGSTOP') as never
    const deadlock = { code: 'ERR_DEADLOCK', message: expect.stringContaining('100 (host) is stopped by SIGSTOP') }
    expect(() => new SimulatedKernel().run(stopsItsParent)).toThrow(expect.objectContaining(deadlock))
    const { failure } = await explore(({ kernel }) => void kernel.run(stopsItsParent))
    expect(failure).toMatchObject({ kind: 'deadlock', error: deadlock })
  })

  it('names the program that has no end, and not the host that waits for it', async () => {
    const { failure } = await explore(({ kernel }) => {
      kernel.run(function* polls(process) {
        for (;;) yield* process.schedYield()
      })
    })
    expect(failure?.error).toMatchObject({ code: 'ERR_ENDLESS_RUN' })
    expect(failure?.error.message).toContain('perhaps in 101 (/run/polls)')
  })

  it('gives the end of a program that is killed in a ptrace stop', () => {
    const { status } = new SimulatedKernel().run(function* (process) {
      const { pid } = process
      yield* process.fork(function* (self) {
        yield* self.sleep(5)
        yield* self.kill(pid, 'SIGKILL')
      })
      yield* process.traceme()
      for (;;) yield* process.raise('SIGUSR1')
    })
    expect(status.signal).toMatch(/SIGUSR1|SIGKILL/)
  })

  it('gives a program descriptors of the host, and leaves none behind', () => {
    const kernel = new SimulatedKernel()
    const { host } = kernel
    const [reader, writer] = host.pipe2()
    const { stdout } = kernel.run(
      function* (process) {
        yield* process.write(1, text('out'))
        yield* process.write(2, text('err'))
      },
      { stdio: ['ignore', 'pipe', writer] },
    )
    expect(stdout).toBe('out')
    host.close(writer)
    expect(read(host, reader)).toBe('err')
    expect(host.pipe2()).toEqual([writer, writer + 1])
    expect(() => kernel.run('/bin/true', { stdio: [99] })).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })

  it('lets others run meanwhile, and leaves no process behind where it can never end', () => {
    const kernel = new SimulatedKernel()
    const { host } = kernel
    const [reader, writer] = host.pipe2()
    const copied = kernel.run(
      function* (process) {
        const child = yield* process.fork(self => self.write(writer, bytes(3)) as never)
        yield* process.read(0, bytes(8))
        yield* process.waitpid(child)
      },
      { stdio: [reader, 'pipe', 'pipe'] },
    )
    expect(copied.status.code).toBe(0)
    expect(() => kernel.run(process => process.pause())).toThrow(expect.objectContaining({ code: 'ERR_DEADLOCK' }))
    expect(() => host.waitpid(-1)).toThrow(expect.objectContaining({ code: 'ECHILD' }))
  })

  it.each([
    [{ argv: 'x' }, 'ERR_INVALID_ARG_TYPE'],
    [{ env: [1] }, 'ERR_INVALID_ARG_TYPE'],
    [{ stdio: 'pipes' }, 'ERR_INVALID_ARG_VALUE'],
    [{ stdio: [1.5] }, 'ERR_OUT_OF_RANGE'],
    [{ stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ input: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ args: [] }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %j: %s', (options, code) => {
    expect(() => new SimulatedKernel().run('/bin/true', options as never)).toThrow(expect.objectContaining({ code }))
  })
})
