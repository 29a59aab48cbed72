import { expect, it } from 'vitest'
import type { Program } from '../../../lib/sim/index.ts'
import { describeCall } from '../../../lib/sim/timeline/describe-call.ts'
import { constants } from '../system.ts'
import { child, exec, recordedHostFirst, said } from './recorded.ts'

/** The calls of process 101, recorded. */
function callsOf(program: Program, ...before: Parameters<typeof child>): string[] {
  const { host, recorder } = recordedHostFirst({ '/p': program })
  host.waitpid(host.fork(child(...before, exec('/p'))))
  const own = said(recorder.finish()).filter(line => line.startsWith('101: '))
  return own.map(line => line.slice('101: '.length))
}

it("a simulated program's calls are described by the arguments that they were made with", () => {
  const calls = callsOf(function* (process) {
    yield* process.setpgid(0, 0)
    yield* process.setLimit('nofile', 64)
    yield* process.setParentDeathSignal('SIGTERM')
    yield* process.poll([{ fd: 0, events: constants.POLLIN }], 5)
    yield* process.sigprocmask('block', ['SIGUSR1'])
    const pid = yield* process.vfork(function* (self) {
      yield* self.exit(3)
    })
    yield* process.waitpid(pid)
  })
  for (const call of [
    'setpgid(0, 0)',
    'setrlimit("nofile", 64)',
    'prctl(PDEATHSIG, SIGTERM)',
    'poll(0</dev/null>, 5 ms) = POLLIN',
    'rt_sigprocmask()',
    'vfork() = 102',
    'waitpid(102) = 102 exited 3',
  ])
    expect(calls).toContain(call)
})

it("a child program's calls are described by theirs", () => {
  const calls = callsOf(
    function* () {},
    { op: 'processGroup', group: 0 },
    { op: 'umask', mask: 0o77 },
    { op: 'rlimits', resource: 'core', soft: 0, hard: 0 },
    { op: 'nice', nice: 5 },
    { op: 'parentDeathSignal', signal: 'SIGTERM' },
    { op: 'noNewPrivileges' },
    { op: 'closeAllExcept', fds: [0, 1] },
  )
  for (const call of [
    'setpgid(0)',
    'umask(63)',
    'prlimit64("core", 0)',
    'setpriority(5)',
    'prctl(PDEATHSIG, SIGTERM)',
    'prctl(NO_NEW_PRIVS)',
    'close_range(all but 0 1)',
  ])
    expect(calls).toContain(call)
})

it('a call without a description shows its arguments', () => {
  expect(describeCall({ name: 'proc', args: [7, 'a name that is long', null] }, String)).toBe(
    'proc(7, "a name that is…", null)',
  )
})
