import { describe, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { RandomScheduler } from '../../../lib/sim/base/scheduler.ts'
import { type Choice, recordTimeline, SimulatedKernel } from '../../../lib/sim/index.ts'
import { Cell, CellsOwner } from '../../../lib/sim/programs/cell.ts'
import { constants } from '../system.ts'
import { outcome, text } from '../world.ts'
import { bareWorld, child, exec, recorded, recordedHostFirst, said } from './recorded.ts'

const { O_CLOEXEC, O_NONBLOCK, WNOHANG, POLLIN, AF_UNIX } = constants
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

  it('names the request of a prctl, and the signal of a raise', () => {
    const { host, recorder } = recorded(undefined, {
      '/bin/raiser': function* (process) {
        yield* process.setParentDeathSignal('SIGHUP')
        yield* process.raise('SIGTERM')
      },
    })
    const actions = [
      { op: 'parentDeathSignal', signal: 'SIGKILL' },
      { op: 'tracer', pid: -1 },
      { op: 'noNewPrivileges' },
    ] as const
    host.waitpid(host.fork(child(...actions, exec('/bin/raiser'))))
    const calls = said(recorder.finish()).filter(call => /prctl|tgkill/.test(call))
    expect(calls).toEqual([
      '101: prctl(PDEATHSIG, SIGKILL)',
      '101: prctl(PTRACER, -1)',
      '101: prctl(NO_NEW_PRIVS)',
      '101: prctl(PDEATHSIG, SIGHUP)',
      '101: tgkill(SIGTERM)',
    ])
  })

  it('does not take a family or a process for a descriptor that it introduces', () => {
    const { host, recorder } = recorded()
    host.socketpair(AF_UNIX, SOCK_STREAM)
    host.dup(AF_UNIX)
    expect(said(recorder.finish()).at(-1)).toBe('host: dup(1</dev/null>) = 5')
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
      const { world, host } = bareWorld({
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
      const recorder = isRecorded ? recordTimeline(world) : null
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
