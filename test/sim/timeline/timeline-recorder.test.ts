import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { RandomScheduler } from '../../../lib/sim/base/scheduler.ts'
import { type Choice, recordTimeline, SimulatedKernel } from '../../../lib/sim/index.ts'
import { Cell, CellsOwner } from '../../../lib/sim/programs/cell.ts'
import { TimelineRecorder } from '../../../lib/sim/timeline/index.ts'
import { constants } from '../system.ts'
import { outcome, text } from '../world.ts'
import { bareWorld, child, exec, launches, passed, recorded, recordedHostFirst, said } from './recorded.ts'

const { O_CLOEXEC, O_NONBLOCK, WNOHANG, WUNTRACED, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, POLLIN, AF_UNIX } = constants
const { SOCK_STREAM, SHUT_WR } = constants
const byte = () => new Uint8Array(1)

describe('a recorded run', () => {
  it('tells of calls in the words of strace', () => {
    const { host, recorder } = recorded()
    const [r, w] = host.pipe2(O_CLOEXEC | O_NONBLOCK)
    host.write(w, text('hi\n'))
    host.read(r, new Uint8Array(8))
    outcome(() => host.read(r, byte()))
    host.close(r)
    outcome(() => host.write(w, byte()))
    outcome(() => host.close(99))
    outcome(() => host.waitpid(-1, WNOHANG))
    const [socket] = host.socketpair(AF_UNIX, SOCK_STREAM)
    host.shutdown(socket, SHUT_WR)
    host.poll([{ fd: w, events: POLLIN }], 0)
    const timeline = recorder.finish()
    expect(said(timeline)).toEqual([
      'host: pipe2(O_NONBLOCK|O_CLOEXEC) = 3, 4<pipe 4>',
      'host: write(4, "hi\\n") = 3',
      'host: read(3) = 3',
      'host: read(3) = EAGAIN',
      'host: close(3)',
      'host: write(4, 1 byte) = EPIPE',
      'host: close(99) = EBADF',
      'host: waitpid(-1, WNOHANG) = ECHILD',
      expect.stringMatching(/^host: socketpair\(AF_UNIX, SOCK_STREAM\) = 3<socket \d+>, 5<socket \d+>$/),
      'host: shutdown(3, SHUT_WR)',
      'host: poll(4, 0 ms) = POLLERR',
    ])
    expect(timeline.events.filter(({ kind }) => kind === 'failed')).toHaveLength(4)
  })

  it('introduces a descriptor once in each process, and again when it means something else', () => {
    const { host, recorder } = recordedHostFirst()
    const [r, w] = host.pipe2()
    host.fork(child({ op: 'write', fd: w, data: byte() }, { op: 'write', fd: w, data: byte() }))
    host.read(r, byte())
    host.read(r, byte())
    host.close(r)
    expect(host.dup(w)).toBe(r)
    host.close(r)
    const calls = said(recorder.finish())
    expect(calls.filter(call => call.startsWith('101: write'))).toEqual([
      '101: write(4<pipe 4>, 1 byte) = 1',
      '101: write(4, 1 byte) = 1',
    ])
    expect(calls.filter(call => call.startsWith('host')).slice(-3)).toEqual([
      'host: close(3)',
      'host: dup(4) = 3',
      'host: close(3<pipe 4>)',
    ])
  })

  it('is one event for a call with no step in between, two for one that waited', () => {
    const { host, recorder } = recordedHostFirst()
    const [r, w] = host.pipe2()
    host.fork(child({ op: 'write', fd: w, data: byte() }))
    host.read(r, byte())
    const timeline = recorder.finish()
    expect(said(timeline).slice(2, 5)).toEqual([
      'host: read(3)',
      '101: write(4<pipe 4>, 1 byte) = 1',
      'host: … read(3) = 1',
    ])
    expect(timeline.events.slice(2, 5).map(({ kind }) => kind)).toEqual(['blocked', 'call', 'resumed'])
  })

  it('ends with the next call of every task that could have gone on', () => {
    const { host, recorder } = recordedHostFirst()
    const [r, w] = host.pipe2()
    host.fork(child({ op: 'write', fd: w, data: byte() }, { op: 'close', fd: w }))
    host.fork(child({ op: 'traceme' }))
    host.fork(child({ op: 'chdir', path: '/' }))
    host.fork(child({ op: 'read', fd: r, bytes: 2 }))
    host.read(r, byte())
    const { events } = recorder.finish()
    expect(events.filter(({ kind }) => kind === 'next').map(({ text }) => text)).toEqual([
      '(next: close(4))',
      '(next: ptrace(TRACEME))',
      '(next: chdir)',
      '(next: read)',
    ])
  })

  it('says when time has passed', () => {
    const { host, recorder } = recorded()
    host.poll([], 25)
    const timeline = recorder.finish()
    expect(said(timeline)).toEqual(['host: poll([], 25 ms)', 'host: … poll([], 25 ms)'])
    expect(timeline.events.map(({ atMs }) => atMs)).toEqual([0, 25])
  })

  it('shows what the host awaits, and that it came', async () => {
    const { host, recorder } = recordedHostFirst()
    const [r, w] = host.pipe2()
    host.fork(child({ op: 'write', fd: w, data: byte() }))
    await host.ready(r, POLLIN)
    await host.sleep(3)
    const events = said(recorder.finish())
    expect(events.slice(2, 4)).toEqual(['host: await ready(3)', '101: write(4<pipe 4>, 1 byte) = 1'])
    expect(events).toContain('host: … await ready(3)')
    expect(events.slice(-2)).toEqual(['host: await sleep until 3 ms', 'host: … await sleep until 3 ms'])
  })

  it('says why a program ended that did not catch its error', () => {
    const { host, recorder } = recorded(undefined, {
      '/bin/careless': function* (process) {
        yield* process.close(77)
      },
    })
    host.waitpid(host.fork(child(exec('/bin/careless'))))
    expect(said(recorder.finish())).toContain('101: killed by SIGABRT: EBADF: bad file descriptor, close')
  })

  it('shows memory that programs share', () => {
    const { kernel, host, recorder } = recorded(undefined, {
      '/bin/counter': function* (process) {
        yield* process.store(cell, (yield* process.load(cell)) + 1)
      },
    })
    const cell = new Cell(new CellsOwner(kernel), kernel.newObjectId(), 1)
    host.waitpid(host.fork(child(exec('/bin/counter'))))
    expect(cell.value).toBe(2)
    const events = said(recorder.finish())
    expect(events).toContain(`101: load(cell ${cell.id}) = 1`)
    expect(events).toContain(`101: store(cell ${cell.id}, 2)`)
    expect(events.at(-1)).toBe(`host: load(cell ${cell.id}) = 2`)
  })
})

describe('the columns of a recorded run', () => {
  it('are the host, each process by the program it ran last, and each thread', () => {
    const { host, recorder } = recorded(undefined, {
      '/bin/threaded': function* (process) {
        yield* process.thread(function* (thread) {
          yield* thread.sleep(1)
        })
        yield* process.sleep(5)
      },
    })
    host.fork(child({ op: 'exit', code: 3 }))
    const pid = host.fork(child(exec('/bin/threaded')))
    host.waitpid(pid)
    const { columns, events } = recorder.finish()
    expect(columns.map(({ pid, tid, name }) => ({ pid, tid, name }))).toEqual([
      { pid: 100, tid: 100, name: 'host' },
      { pid: 101, tid: 101, name: 'child' },
      { pid: 102, tid: 102, name: '/bin/threaded' },
      { pid: 102, tid: 103, name: '/bin/threaded' },
    ])
    const births = columns.map(({ bornAt }) => bornAt !== undefined && events[bornAt]!.text)
    expect(births).toEqual([false, 'fork() = 101', 'fork() = 102', 'clone() = 103'])
  })
})

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

describe('a mark', () => {
  it('is put on the last event of a thread, on the last with an object, or on the one at a position', () => {
    const { host, recorder } = recorded()
    const [r, w] = host.pipe2()
    host.write(w, byte())
    const { position } = recorder
    host.read(r, byte())
    host.dup(0)
    const timeline = recorder.finish([
      { kind: 'error', text: 'the end', tid: 100 },
      { kind: 'race', text: 'a write', tid: 100, position },
      { kind: 'leak', text: 'a pipe', tid: 100, object: 4 },
      { kind: 'race', text: 'of nobody', tid: 555 },
    ])
    expect(timeline.events.map(({ mark }) => mark)).toEqual([
      undefined,
      { kind: 'race', text: 'a write' },
      undefined,
      { kind: 'error', text: 'the end' },
    ])
  })
})

describe('a recorder', () => {
  it('changes nothing: the run makes the same choices with it and without', () => {
    const run = (isRecorded: boolean) => {
      const asked: unknown[] = []
      const random = new RandomScheduler(7)
      const { kernel, host } = bareWorld({
        choose(choice: Choice) {
          const chosen = random.choose(choice)
          asked.push([
            choice.kind,
            choice.options.map(option => (typeof option === 'string' ? option : option.label)),
            chosen,
          ])
          return chosen
        },
      })
      const recorder = isRecorded ? new TimelineRecorder(kernel) : null
      const [r, w] = host.pipe2()
      const pid = host.fork(child({ op: 'traceme' }, { op: 'write', fd: w, data: byte() }, exec('/bin/true')))
      host.read(r, byte())
      host.waitpid(pid)
      host.ptraceCont(pid)
      host.waitpid(pid)
      recorder?.finish()
      return asked
    }
    expect(run(true).length).toBeGreaterThan(3)
    expect(run(true)).toEqual(run(false))
  })

  it('is there for every world, explored or not', async () => {
    const kernel = new SimulatedKernel({ seed: 3 })
    const recorder = recordTimeline(kernel)
    const tracee = await launch('/bin/true', [], { system: kernel.host })
    await tracee.run()
    const timeline = recorder.finish()
    expect(timeline.columns.map(({ name }) => name)).toEqual(['host', '/bin/true'])
    expect(said(timeline)).toContain('101: exits with 0')
  })

  it('records nothing once it has finished', () => {
    const { kernel, host, recorder } = recorded()
    host.dup(0)
    recorder.finish()
    expect(kernel.trace.calling).toBeNull()
    host.dup(0)
    expect(recorder.position).toBe(1)
  })
})
