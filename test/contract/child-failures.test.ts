import { describe, expect, it } from 'vitest'
import { type ChildAction, childReportBytes, decodeChildReport } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { errnoOf } from '../../lib/system/errno.ts'
import { bytes } from './helpers.ts'
import { describeContract } from './suite.ts'

const { O_CLOEXEC, O_NONBLOCK, O_RDONLY } = constants

const closed = 1_000_000
/** A name and a path that are one byte too long, in characters of two bytes. */
const longName = `/tmp/${'é'.repeat(128)}`
const longPath = `/${'./'.repeat(2048)}`
const withArgs = (...args: string[]): ChildAction => ({
  op: 'execve',
  files: ['/dev/null', '/bin/true'],
  argv: ['it', ...args],
  env: [],
})

// What fails, with which errno.
const failures: readonly { what: string; action: ChildAction; before?: readonly ChildAction[]; code: string }[] = [
  { what: 'write to what is not open', action: { op: 'write', fd: closed, data: bytes('x') }, code: 'EBADF' },
  { what: 'read from what is not open', action: { op: 'read', fd: closed, bytes: 1 }, code: 'EBADF' },
  {
    what: 'open what is not there',
    action: { op: 'open', path: '/no/such/file', flags: O_RDONLY, target: 0 },
    code: 'ENOENT',
  },
  {
    what: 'open at a number that cannot be',
    action: { op: 'open', path: '/dev/null', flags: O_RDONLY, target: -1 },
    code: 'EBADF',
  },
  { what: 'dup2 from what is not open', action: { op: 'dup2', fd: closed, target: 0 }, code: 'EBADF' },
  { what: 'dup2 to a number that cannot be', action: { op: 'dup2', fd: 0, target: -1 }, code: 'EBADF' },
  { what: 'setBlocking of what is not open', action: { op: 'setBlocking', fd: closed }, code: 'EBADF' },
  { what: 'dup2 of what is not open onto itself', action: { op: 'dup2', fd: closed, target: closed }, code: 'EBADF' },
  { what: 'close what is not open', action: { op: 'close', fd: closed }, code: 'EBADF' },
  { what: 'chdir to what is not there', action: { op: 'chdir', path: '/no/such/directory' }, code: 'ENOENT' },
  { what: 'chdir to a file', action: { op: 'chdir', path: '/dev/null' }, code: 'ENOTDIR' },
  { what: 'chdir to a name of 256 bytes', action: { op: 'chdir', path: longName }, code: 'ENAMETOOLONG' },
  { what: 'chdir to such a name below a file', action: { op: 'chdir', path: `/dev/null${longName}` }, code: 'ENOTDIR' },
  { what: 'chdir to a path of 4097 bytes', action: { op: 'chdir', path: longPath }, code: 'ENAMETOOLONG' },
  { what: 'chdir back from what is not there', action: { op: 'chdir', path: '/no/such/../..' }, code: 'ENOENT' },
  { what: 'chdir back from a file', action: { op: 'chdir', path: '/dev/null/..' }, code: 'ENOTDIR' },
  {
    what: 'open a path of 4097 bytes',
    action: { op: 'open', path: longPath, flags: O_RDONLY, target: 0 },
    code: 'ENAMETOOLONG',
  },
  { what: 'setsid of a leader', before: [{ op: 'setsid' }], action: { op: 'setsid' }, code: 'EPERM' },
  { what: 'join a group that there is not', action: { op: 'processGroup', group: 0x7fffffff }, code: 'EPERM' },
  { what: 'join group -1', action: { op: 'processGroup', group: -1 }, code: 'EINVAL' },
  {
    what: 'leave the group of a session that it leads',
    before: [{ op: 'setsid' }],
    action: { op: 'processGroup', group: 0 },
    code: 'EPERM',
  },
  { what: 'run on a CPU that there is not', action: { op: 'affinity', cpus: [8191] }, code: 'EINVAL' },
  {
    what: 'have a soft limit above the hard one',
    action: { op: 'rlimits', resource: 'core', soft: 1, hard: 0 },
    code: 'EINVAL',
  },
  {
    what: 'open more than its limit allows',
    before: [{ op: 'rlimits', resource: 'nofile', soft: 3, hard: 3 }],
    action: { op: 'dup2', fd: 0, target: 3 },
    code: 'EBADF',
  },
  { what: 'raise a signal that there is not', action: { op: 'raise', signal: 65 }, code: 'EINVAL' },
  { what: 'raise signal -1', action: { op: 'raise', signal: -1 }, code: 'EINVAL' },
  {
    what: 'die with the parent by a signal that there is not',
    action: { op: 'parentDeathSignal', signal: 65 },
    code: 'EINVAL',
  },
  {
    what: 'execute what is not there',
    action: { op: 'execve', files: ['/no/such/program'], argv: ['it'], env: [] },
    code: 'ENOENT',
  },
  {
    what: 'execute the empty path',
    action: { op: 'execve', files: [''], argv: ['it'], env: [] },
    code: 'ENOENT',
  },
  {
    what: 'execute what is no program',
    action: { op: 'execve', files: ['/dev/null'], argv: ['it'], env: [] },
    code: 'EACCES',
  },
  { what: 'execute a directory', action: { op: 'execve', files: ['/'], argv: ['it'], env: [] }, code: 'EACCES' },
  {
    what: 'execute below a file',
    action: { op: 'execve', files: ['/dev/null/it'], argv: ['it'], env: [] },
    code: 'ENOTDIR',
  },
  { what: 'execute with an argument of 128 KiB', action: withArgs('é'.repeat(65_536)), code: 'E2BIG' },
  {
    what: 'execute with arguments of 2 MiB and their pointers',
    action: withArgs(...Array.from({ length: 20 }, () => 'x'.repeat(104_850))),
    code: 'E2BIG',
  },
  {
    what: 'execute the first of nothing: past ENOTDIR to ENOENT',
    action: { op: 'execve', files: ['/dev/null/it', '/no/such/program'], argv: ['it'], env: [] },
    code: 'ENOENT',
  },
  {
    what: 'execute with no candidate but one that is not allowed: EACCES tells more',
    action: { op: 'execve', files: ['/no/it', '/dev/null', '/no/such/it'], argv: ['it'], env: [] },
    code: 'EACCES',
  },
]

describeContract('child programs that fail', world => {
  /** Runs the child program; returns its failure report and its raw status. */
  const outcomeOf = (actions: readonly ChildAction[], memory: 'shared' | 'copied') => {
    const [told, report] = world.system.pipe2(O_CLOEXEC)
    const pid = world.system.fork({ actions, report, memory })
    world.system.close(report)
    const record = new Uint8Array(100)
    const size = world.system.read(told, record)
    world.system.close(told)
    return { size, report: decodeChildReport(record.subarray(0, size)), raw: world.system.waitpid(pid)?.raw }
  }
  const failed = (action: number, code: string) => ({
    size: childReportBytes,
    report: { action, errno: errnoOf(code) },
    raw: 127 << 8,
  })

  describe.for(['shared', 'copied'] as const)('in %s memory', memory => {
    it.for(failures)('$what: $code', ({ action, before = [], code }) => {
      expect(outcomeOf([...before, action, { op: 'exit', code: 0 }], memory)).toEqual(failed(before.length, code))
    })

    it('writing with no reader: EPIPE, not SIGPIPE', () => {
      const [r, w] = world.system.pipe2()
      world.system.close(r)
      expect(outcomeOf([{ op: 'write', fd: w, data: bytes('x') }], memory)).toEqual(failed(0, 'EPIPE'))
    })

    it('the record names the action that failed, and nothing after it is done', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      const actions: ChildAction[] = [
        { op: 'write', fd: w, data: bytes('before') },
        { op: 'close', fd: w },
        { op: 'close', fd: w },
        { op: 'execve', files: [world.programs.true], argv: ['true'], env: [] },
      ]
      expect(outcomeOf(actions, memory)).toEqual(failed(2, 'EBADF'))
      expect(world.system.read(r, new Uint8Array(100))).toBe(6)
    })

    it('a success sends none', () => {
      const end: ChildAction = { op: 'execve', files: [world.programs.false], argv: ['false'], env: [] }
      expect(outcomeOf([end], memory)).toEqual({ size: 0, report: undefined, raw: 0x0100 })
    })

    it('an end of file at a read sends none', () => {
      const [r, w] = world.system.pipe2()
      world.system.close(w)
      const actions: ChildAction[] = [{ op: 'read', fd: r, bytes: 1 }]
      expect(outcomeOf(actions, memory)).toEqual({ size: 0, report: undefined, raw: 126 << 8 })
    })

    it('without a descriptor for it, or with one that cannot take it, the exit code is all', () => {
      const [r, w] = world.system.pipe2()
      world.system.close(r)
      const actions: ChildAction[] = [{ op: 'close', fd: closed }]
      for (const rest of [{}, { report: -1 }, { report: closed }, { report: w }]) {
        const pid = world.system.fork({ actions, memory, ...rest })
        expect(world.system.waitpid(pid)?.raw).toBe(127 << 8)
      }
    })

    it('the record waits for room', () => {
      const [told, report] = world.system.pipe2(O_NONBLOCK)
      let size = 0
      for (let written = 4096; written === 4096; size += written) {
        try {
          written = world.system.write(report, bytes(4096))
        } catch {
          break
        }
      }
      const pid = world.system.fork({ actions: [{ op: 'close', fd: closed }], report, memory })
      world.system.close(report)
      world.system.fcntl(told, constants.F_SETFL, 0)
      const everything = new Uint8Array(size + 100)
      let got = 0
      for (let more = -1; more !== 0; got += more) more = world.system.read(told, everything.subarray(got))
      expect(decodeChildReport(everything.subarray(size, got))).toEqual({ action: 0, errno: errnoOf('EBADF') })
      expect(world.system.waitpid(pid)?.raw).toBe(127 << 8)
    })
  })
})
