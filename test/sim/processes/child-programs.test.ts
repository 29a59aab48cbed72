import { describe, expect, it } from 'vitest'
import { bytes, constants, exec, program, read, wait, world } from '../world.ts'

const { O_CLOEXEC } = constants

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
