import { describe, expect, it } from 'vitest'
import { constants } from '../system.ts'
import { child, exec, launches, passed, recorded, recordedHostFirst, said } from './recorded.ts'

const { O_CLOEXEC, WUNTRACED, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, AF_UNIX } = constants
const { SOCK_STREAM } = constants
const byte = () => new Uint8Array(1)

describe('what passes between processes', () => {
  it('is bytes, from each write to the reads that got them', () => {
    const { host, recorder } = recorded()
    const [r, w] = host.pipe2()
    const pid = host.fork(
      child({ op: 'write', fd: w, data: new Uint8Array(2) }, { op: 'write', fd: w, data: new Uint8Array(4) }),
    )
    host.waitpid(pid)
    host.read(r, new Uint8Array(3))
    host.read(r, new Uint8Array(9))
    expect(passed(recorder.finish()).slice(1)).toEqual([
      'bytes (2 bytes): write(4<pipe 4>, 2 bytes) = 2 → read(3) = 3',
      'bytes (1 byte): write(4, 4 bytes) = 4 → read(3) = 3',
      'bytes (3 bytes): write(4, 4 bytes) = 4 → read(3) = 3',
    ])
  })

  it('is bytes through a socket, in either direction', () => {
    const { host, recorder } = recorded()
    const [mine, theirs] = host.socketpair(AF_UNIX, SOCK_STREAM)
    host.send(mine, byte())
    const pid = host.fork(child({ op: 'read', fd: theirs, bytes: 1 }, { op: 'write', fd: theirs, data: byte() }))
    host.waitpid(pid)
    host.recv(mine, byte())
    const arrows = passed(recorder.finish())
    expect(arrows[0]).toMatch(/^bytes \(1 byte\): send\(3, 1 byte\) = 1 → read\(4<socket \d+>\) = 1$/)
    expect(arrows.at(-1)).toMatch(/^bytes \(1 byte\): write\(4, 1 byte\) = 1 → recv\(3\) = 1$/)
  })

  it('is bytes of a write that still waits for room', () => {
    const { host, recorder } = recordedHostFirst()
    const [r, w] = host.pipe2()
    const pid = host.fork(child({ op: 'write', fd: w, data: new Uint8Array(70_000) }))
    host.close(w)
    let left = 70_000
    while (left > 0) left -= host.read(r, new Uint8Array(65_536))
    host.waitpid(pid)
    const arrows = passed(recorder.finish()).filter(each => each.startsWith('bytes'))
    expect(arrows).toEqual([
      'bytes (65536 bytes): write(4<pipe 4>, 70000 bytes) → … read(3) = 65536',
      'bytes (4464 bytes): write(4<pipe 4>, 70000 bytes) → … read(3) = 4464',
    ])
  })

  it('is the end of a file, from the close, exec or exit that caused it', () => {
    const ends = (...actions: Parameters<typeof child>) => {
      const { host, recorder } = recorded()
      const [r, w] = host.pipe2(O_CLOEXEC)
      const pid = host.fork(child(...actions.map(action => (action.op === 'close' ? { ...action, fd: w } : action))))
      host.close(w)
      host.waitpid(pid)
      expect(host.read(r, byte())).toBe(0)
      return passed(recorder.finish()).filter(each => each.startsWith('end-of-file'))
    }
    expect(ends({ op: 'close', fd: -1 })).toEqual(['end-of-file (end of file): close(4<pipe 4>) → read(3) = 0'])
    expect(ends(exec('/bin/true'))).toEqual(['end-of-file (end of file): exec /bin/true → read(3) = 0'])
    expect(ends({ op: 'exit', code: 7 })).toEqual(['end-of-file (end of file): exits with 7 → read(3) = 0'])
  })

  it('is signals, stops, the leave to go on, and what a wait tells', () => {
    const { host, recorder } = recordedHostFirst({
      '/bin/worker': function* (process) {
        const [r] = yield* process.pipe2()
        yield* process.sigaction('SIGUSR1', function* () {}, { restart: true })
        yield* process.raise('SIGSTOP')
        yield* process.read(r, byte())
      },
    })
    const pid = host.fork(child(exec('/bin/worker')))
    host.waitpid(pid, WUNTRACED)
    host.kill(pid, 'SIGCONT')
    host.poll([], 1)
    host.kill(pid, 'SIGUSR1')
    host.poll([], 1)
    host.kill(pid, 'SIGKILL')
    host.waitpid(pid)
    expect(passed(recorder.finish())).toEqual([
      'child: stopped by SIGSTOP → … waitpid(101, WUNTRACED) = 101 stopped SIGSTOP',
      'resume (SIGCONT): kill(101, SIGCONT) → goes on',
      'signal (SIGUSR1): kill(101, SIGUSR1) → SIGUSR1 handler',
      'signal (SIGKILL): kill(101, SIGKILL) → killed by SIGKILL',
      'child: killed by SIGKILL → … waitpid(101) = 101 killed by SIGKILL',
    ])
  })

  it('is the end of a child that waitid reports', () => {
    const { host, recorder } = recorded()
    const pid = host.fork(child({ op: 'exit', code: 3 }))
    host.waitid(constants.P_PID, pid, constants.WEXITED)
    expect(passed(recorder.finish())).toEqual(['child: exits with 3 → … waitid(P_PID 101, WEXITED) = 101 exited 3'])
  })

  it('is tracing: stops reported to the tracer, and the requests that resume them', () => {
    const { host, recorder } = recordedHostFirst()
    const pid = host.fork(child({ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, exec('/bin/true')))
    host.waitpid(pid)
    host.ptraceSetOptions(pid, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)
    host.ptraceCont(pid)
    host.waitpid(pid)
    host.ptraceCont(pid)
    host.waitpid(pid)
    const timeline = recorder.finish()
    expect(passed(timeline)).toEqual([
      'child: stops: SIGSTOP → … waitpid(101) = 101 stopped SIGSTOP',
      'resume: ptrace(CONT, 101) → goes on',
      'child: stops at exec → … waitpid(101) = 101 exec stop',
      'resume: ptrace(CONT, 101) → goes on',
      'child: exits with 0 → … waitpid(101) = 101 exited 0',
    ])
    expect(said(timeline)).toContain('host: ptrace(SETOPTIONS, 101, TRACEEXEC|EXITKILL)')
    expect(said(timeline)).toContain('101: ptrace(TRACEME)')
  })

  it('goes forwards, from one column to another, in launches of any schedule', async () => {
    for (let seed = 0; seed < 25; seed++) {
      const { columns, events, arrows } = await launches(seed)
      expect(columns.map(({ name }) => name)).toEqual(['host', '/bin/true', '/bin/echo', '/bin/false'])
      for (const { bornAt } of columns.slice(1)) expect(events[bornAt!]!.text).toMatch(/^fork\(\) = 10\d$/)
      for (const { from, to } of arrows) {
        expect(from).toBeLessThan(to)
        expect(events[from]!.column).not.toBe(events[to]!.column)
      }
      const kinds = (kind: string) => arrows.filter(arrow => arrow.kind === kind).length
      // For each child, two stops and an end are reported, and it is resumed twice. Its notification is never read.
      expect({ bytes: kinds('bytes'), told: kinds('child'), resume: kinds('resume') }).toEqual({
        bytes: 0,
        told: 9,
        resume: 6,
      })
    }
  })
})
