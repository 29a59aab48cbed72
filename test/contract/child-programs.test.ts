import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes, fill, heldChild, rawStatusOf, readText } from './helpers.ts'
import { describeContract } from './suite.ts'

const { F_GETFL, F_SETFL, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, POLLHUP, POLLIN, WNOHANG, WUNTRACED } = constants

describeContract('child programs', world => {
  describe.for(['shared', 'copied'] as const)('in %s memory', memory => {
    const statusOf = (actions: Parameters<typeof rawStatusOf>[1]) => rawStatusOf(world.system, actions, { memory })

    it.for([
      { code: 0, raw: 0 },
      { code: 7, raw: 0x0700 },
      { code: 255, raw: 0xff00 },
      { code: 256, raw: 0 },
      { code: -1, raw: 0xff00 },
    ])('exit($code) ends it with the low eight bits', ({ code, raw }) => {
      expect(statusOf([{ op: 'exit', code }])).toBe(raw)
    })

    it('a list that ends, or is empty, exits with 0', () => {
      const [, w] = world.system.pipe2()
      expect(statusOf([])).toBe(0)
      expect(statusOf([{ op: 'close', fd: w }])).toBe(0)
    })

    it('actions are done in their order, and none after an exit', () => {
      const [r, w] = world.system.pipe2()
      statusOf([
        { op: 'write', fd: w, data: bytes('one ') },
        { op: 'write', fd: w, data: bytes('two ') },
        { op: 'exit', code: 0 },
        { op: 'write', fd: w, data: bytes('three') },
      ])
      expect(readText(world.system, r)).toBe('one two ')
    })

    it('write writes all of its data, however long the reader takes', () => {
      const [r, w] = world.system.pipe2()
      const pid = world.system.fork({ actions: [{ op: 'write', fd: w, data: bytes(300_000) }], memory })
      world.system.close(w)
      let total = 0
      for (let got = -1; got !== 0; total += got) got = world.system.read(r, new Uint8Array(10_000))
      expect(total).toBe(300_000)
      expect(world.system.waitpid(pid)?.raw).toBe(0)
    })

    it('write waits for room where the descriptor does not block', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      const { total } = fill(world.system, w, 4096)
      world.system.fcntl(r, F_SETFL, 0)
      const pid = world.system.fork({ actions: [{ op: 'write', fd: w, data: bytes('behind') }], memory })
      world.system.close(w)
      let last = ''
      for (let got = 0; got < total + 6; got += last.length) last = readText(world.system, r, 4096)
      expect(last.endsWith('behind')).toBe(true)
      expect(world.system.waitpid(pid)?.raw).toBe(0)
    })

    it('the data of a write is as it was at the fork', () => {
      const [r, w] = world.system.pipe2()
      const data = bytes('before')
      const child = heldChild(world.system, { memory, after: [{ op: 'write', fd: w, data }] })
      data.fill(0)
      child.release()
      world.system.waitpid(child.pid)
      expect(readText(world.system, r)).toBe('before')
    })

    it('read waits for so many bytes, also where the descriptor does not block', () => {
      const [r, w] = world.system.pipe2(O_NONBLOCK)
      const pid = world.system.fork({
        actions: [
          { op: 'close', fd: w },
          { op: 'read', fd: r, bytes: 1000 },
          { op: 'exit', code: 3 },
        ],
        memory,
      })
      world.system.write(w, bytes(999))
      expect(world.system.waitpid(pid, WNOHANG)).toBeNull()
      world.system.write(w, bytes(11))
      expect(world.system.waitpid(pid)?.raw).toBe(0x0300)
      expect(world.system.bytesReadable(r)).toBe(10)
    })

    it('read that meets end of file ends the child with 126', () => {
      const [r, w] = world.system.pipe2()
      world.system.write(w, bytes('few'))
      world.system.close(w)
      expect(statusOf([{ op: 'read', fd: r, bytes: 4 }])).toBe(126 << 8)
    })

    it('a gate whose writers are all closed ends the child with 126', () => {
      const child = heldChild(world.system, { memory })
      child.abandon()
      expect(world.system.waitpid(child.pid)?.raw).toBe(126 << 8)
    })

    it.for([0, O_NONBLOCK])(
      'setBlocking clears O_NONBLOCK of the file that parent and child share (flags %i)',
      flags => {
        const [r] = world.system.pipe2(O_CLOEXEC | flags)
        const other = world.system.dup(r)
        expect(statusOf([{ op: 'setBlocking', fd: r }])).toBe(0)
        expect(world.system.fcntl(other, F_GETFL)).toBe(O_RDONLY)
      },
    )

    it('dup2 makes the target the same file', () => {
      const [r, w] = world.system.pipe2(O_CLOEXEC)
      const [, target] = world.system.pipe2()
      statusOf([
        { op: 'dup2', fd: w, target },
        { op: 'close', fd: w },
        { op: 'write', fd: target, data: bytes('there') },
      ])
      expect(readText(world.system, r)).toBe('there')
    })

    it('close closes it in the child only', () => {
      const [r, w] = world.system.pipe2()
      const child = heldChild(world.system, { memory, before: [{ op: 'close', fd: w }] })
      world.system.write(w, bytes('x'))
      world.system.close(w)
      readText(world.system, r)
      expect(world.system.poll([{ fd: r, events: POLLIN }], 0)).toEqual([POLLHUP])
      child.release()
      expect(world.system.waitpid(child.pid)?.raw).toBe(0)
    })

    it('closeAllExcept closes everything else at once', () => {
      const [r, w] = world.system.pipe2()
      const [told, tell] = world.system.pipe2()
      const [gate, go] = world.system.pipe2()
      const others = Array.from({ length: 50 }, () => world.system.dup(w))
      const fds = [gate, others[20]!, others[10]!, tell, tell, -1]
      const pid = world.system.fork({
        actions: [
          { op: 'closeAllExcept', fds },
          { op: 'write', fd: others[10]!, data: bytes('10') },
          { op: 'write', fd: tell, data: bytes('!') },
          { op: 'read', fd: gate, bytes: 1 },
          { op: 'close', fd: others[10]! },
          { op: 'close', fd: others[20]! },
          { op: 'write', fd: tell, data: bytes('!') },
          { op: 'read', fd: gate, bytes: 1 },
        ],
        memory,
      })
      const hangsUp = () => world.system.poll([{ fd: r, events: POLLIN }], 0)[0]
      for (const fd of [w, ...others]) world.system.close(fd)
      expect(readText(world.system, told)).toBe('!')
      expect(hangsUp()).toBe(POLLIN)
      world.system.write(go, bytes('!'))
      expect(readText(world.system, told)).toBe('!')
      expect(hangsUp()).toBe(POLLIN | POLLHUP)
      world.system.write(go, bytes('!'))
      expect(world.system.waitpid(pid)?.raw).toBe(0)
    })

    it('closeAllExcept of an empty list leaves nothing to write to', () => {
      const [, w] = world.system.pipe2()
      expect(
        statusOf([
          { op: 'closeAllExcept', fds: [] },
          { op: 'write', fd: w, data: bytes('x') },
        ]),
      ).toBe(127 << 8)
    })

    it('open puts the file at the number asked for, with its flags', () => {
      const [, target] = world.system.pipe2()
      const [a, b] = world.system.socketpair(constants.AF_UNIX, constants.SOCK_STREAM)
      const pid = world.system.fork({
        actions: [
          { op: 'open', path: '/dev/null', flags: O_RDWR, target },
          { op: 'write', fd: target, data: bytes('into nothing') },
          { op: 'open', path: '/dev/null', flags: O_RDONLY, target: a },
          { op: 'read', fd: a, bytes: 1 },
        ],
        memory,
      })
      expect(world.system.waitpid(pid)?.raw).toBe(126 << 8)
      expect(world.system.fcntl(b, F_GETFL)).toBe(O_RDWR)
    })

    it('setsid makes it the leader of a session and a group', () => {
      const child = heldChild(world.system, { memory, before: [{ op: 'setsid' }] })
      world.system.kill(-child.pid, 'SIGTERM')
      expect(world.system.waitpid(-child.pid)?.raw).toBe(15)
    })

    it('processGroup 0 makes it the leader of a group, which others join', () => {
      const leader = heldChild(world.system, { memory, before: [{ op: 'processGroup', group: 0 }] })
      const member = heldChild(world.system, { memory, before: [{ op: 'processGroup', group: leader.pid }] })
      world.system.kill(-leader.pid, 'SIGTERM')
      for (const { pid } of [leader, member]) expect(world.system.waitpid(pid)?.raw).toBe(15)
    })

    it('settings are taken, and leave the parent as it is', () => {
      const actions = [
        { op: 'umask', mask: 0o77 },
        { op: 'nice', nice: 19 },
        { op: 'affinity', cpus: [0] },
        { op: 'rlimits', resource: 'core', soft: 0, hard: 0 },
        { op: 'rlimits', resource: 'nofile', soft: 20, hard: 30 },
        { op: 'aslr', on: false },
        { op: 'aslr', on: true },
        { op: 'tracer', pid: -1 },
        { op: 'noNewPrivileges' },
        { op: 'exit', code: 4 },
      ] as const
      expect(statusOf(actions)).toBe(0x0400)
      expect(statusOf([{ op: 'dup2', fd: 0, target: 40 }])).toBe(0)
    })

    it('parentDeathSignal is set and cleared while the parent lives', () => {
      const actions = [
        { op: 'parentDeathSignal', signal: 'SIGKILL' },
        { op: 'parentDeathSignal', signal: 0 },
        { op: 'exit', code: 5 },
      ] as const
      expect(statusOf(actions)).toBe(0x0500)
    })

    it.for([1, 2, 9, 10, 12, 13, 14, 15, 16, 26, 27, 29, 30, 32, 33, 34, 35, 50, 64])('raise(%i) kills it', signal => {
      expect(
        statusOf([
          { op: 'raise', signal },
          { op: 'exit', code: 1 },
        ]),
      ).toBe(signal)
    })

    it.for([3, 4, 5, 6, 7, 8, 11, 24, 25, 31])('raise(%i) kills it, with or without a core dump', signal => {
      const raw = statusOf([
        { op: 'chdir', path: '/proc' },
        { op: 'raise', signal },
        { op: 'exit', code: 1 },
      ])
      expect(raw! & ~0x80).toBe(signal)
    })

    it.for(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH'] as const)('raise(%s) does nothing to it', signal => {
      expect(
        statusOf([
          { op: 'raise', signal },
          { op: 'exit', code: 1 },
        ]),
      ).toBe(0x0100)
    })

    it('raise(SIGSTOP) stops it until SIGCONT', () => {
      const pid = world.system.fork({
        actions: [
          { op: 'raise', signal: 'SIGSTOP' },
          { op: 'exit', code: 2 },
        ],
        memory,
      })
      expect(world.system.waitpid(pid, WUNTRACED)?.raw).toBe(0x137f)
      world.system.kill(pid, 'SIGCONT')
      expect(world.system.waitpid(pid)?.raw).toBe(0x0200)
    })

    it.for(['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGRTMIN+3', 'SIGKILL'] as const)(
      'none is blocked or ignored: %s from outside kills it at its gate',
      signal => {
        const child = heldChild(world.system, { memory })
        world.system.kill(child.pid, signal)
        expect(world.system.waitpid(child.pid)?.status).toMatchObject({ kind: 'signaled', signal })
      },
    )

    it.runIf(memory === 'copied')('oomScoreAdj is taken in memory of its own', () => {
      expect(statusOf([{ op: 'oomScoreAdj', score: 1000 }])).toBe(0)
      expect(statusOf([{ op: 'oomScoreAdj', score: 1001 }])).toBe(127 << 8)
    })

    it('many at once are each their own', () => {
      const children = Array.from({ length: 40 }, (_, code) =>
        heldChild(world.system, { memory, after: [{ op: 'exit', code }] }),
      )
      for (const child of children) child.release()
      expect(children.map(child => world.system.waitpid(child.pid)?.raw)).toEqual(children.map((_, code) => code << 8))
    })
  })
})
