import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { failure, heldChild } from './helpers.ts'
import { describeContract } from './suite.ts'

const { P_ALL, P_PGID, P_PID, P_PIDFD, PTRACE_O_TRACEEXIT } = constants
const { WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, __WALL, __WCLONE, __WNOTHREAD } = constants

describeContract('waitid', world => {
  const waitid = (idType: number, id: number, options: number) => world.system.waitid(idType, id, options)
  const exits = (code: number) => world.system.fork({ actions: [{ op: 'exit', code }] })

  it('gives the code of an exit, and takes it', () => {
    const pid = exits(7)
    expect(waitid(P_PID, pid, WEXITED)).toEqual({ pid, status: { kind: 'exited', code: 7, signal: null } })
    expect(failure(() => waitid(P_PID, pid, WEXITED))).toBe('ECHILD')
  })

  it('gives the signal of a death', () => {
    const child = heldChild(world.system)
    world.system.kill(child.pid, 'SIGKILL')
    const status = { kind: 'signaled', code: null, signal: 'SIGKILL', coreDumped: false }
    expect(waitid(P_PID, child.pid, WEXITED)).toEqual({ pid: child.pid, status })
    child.abandon()
  })

  it('with WNOWAIT looks without taking', () => {
    const pid = exits(3)
    const status = { kind: 'exited', code: 3, signal: null }
    for (let i = 0; i < 3; i++) expect(waitid(P_PID, pid, WEXITED | WNOWAIT)).toEqual({ pid, status })
    expect(world.system.waitpid(pid)).toMatchObject({ pid, raw: 0x0300 })
  })

  it('with WNOHANG is null where there is nothing yet', () => {
    const child = heldChild(world.system)
    expect(waitid(P_PID, child.pid, WEXITED | WSTOPPED | WCONTINUED | WNOHANG)).toBeNull()
    child.abandon()
    expect(waitid(P_PID, child.pid, WEXITED)?.status).toMatchObject({ code: 126 })
  })

  it('tells stops and continuations, each once', () => {
    const child = heldChild(world.system)
    const { pid } = child
    world.system.kill(pid, 'SIGSTOP')
    const stopped = { pid, status: { kind: 'stopped', signal: 'SIGSTOP' } }
    expect(waitid(P_PID, pid, WSTOPPED | WNOWAIT)).toEqual(stopped)
    expect(waitid(P_PID, pid, WSTOPPED)).toEqual(stopped)
    expect(waitid(P_PID, pid, WSTOPPED | WNOHANG)).toBeNull()
    world.system.kill(pid, 'SIGCONT')
    const continued = { pid, status: { kind: 'continued' } }
    expect(waitid(P_PID, pid, WCONTINUED | WNOWAIT)).toEqual(continued)
    expect(waitid(P_PID, pid, WCONTINUED)).toEqual(continued)
    expect(waitid(P_PID, pid, WCONTINUED | WNOHANG)).toBeNull()
    child.release()
    expect(waitid(P_PID, pid, WEXITED)?.status).toMatchObject({ code: 0 })
  })

  it('finds a child by its process group', () => {
    const child = heldChild(world.system, { before: [{ op: 'setsid' }], after: [{ op: 'exit', code: 5 }] })
    expect(waitid(P_PGID, child.pid, WEXITED | WNOHANG)).toBeNull()
    child.release()
    expect(waitid(P_PGID, child.pid, WEXITED)).toMatchObject({ pid: child.pid, status: { code: 5 } })
    expect(failure(() => waitid(P_PGID, child.pid, WEXITED))).toBe('ECHILD')
    const own = exits(6)
    expect(waitid(P_PGID, 0, WEXITED | WNOWAIT)).toMatchObject({ pid: own, status: { code: 6 } })
    expect(waitid(P_PID, own, WEXITED)).toMatchObject({ pid: own })
  })

  it('does not find the end of a child without WEXITED', () => {
    const pid = exits(0)
    waitid(P_PID, pid, WEXITED | WNOWAIT)
    expect(failure(() => waitid(P_PID, pid, WSTOPPED | WCONTINUED | WNOHANG))).toBe('ECHILD')
    expect(waitid(P_PID, pid, WEXITED)).toMatchObject({ pid })
  })

  it('with __WCLONE finds no child that ends with SIGCHLD, with __WALL any', () => {
    const pid = exits(0)
    expect(failure(() => waitid(P_PID, pid, WEXITED | __WCLONE))).toBe('ECHILD')
    expect(waitid(P_PID, pid, WEXITED | __WALL | __WNOTHREAD)).toMatchObject({ pid })
  })

  it('refuses what it cannot mean', () => {
    for (const [idType, id, options] of [
      [P_PID, 1, 0],
      [P_PID, 1, WNOHANG | WNOWAIT],
      [P_PID, 1, WEXITED | 0x100],
      [4, 1, WEXITED],
      [-1, 1, WEXITED],
      [P_PID, 0, WEXITED],
      [P_PID, -1, WEXITED],
      [P_PGID, -1, WEXITED],
      [P_PIDFD, -1, WEXITED],
    ] as const) {
      expect(
        failure(() => waitid(idType, id, options)),
        `${idType} ${id} ${options}`,
      ).toBe('EINVAL')
    }
    expect(failure(() => waitid(P_PIDFD, 2147483647, WEXITED))).toBe('EBADF')
    expect(failure(() => waitid(P_PID, 2147483647, WEXITED))).toBe('ECHILD')
    expect(failure(() => waitid(P_ALL, 0, WEXITED))).toBe('ECHILD')
  })
})

describeContract(
  'waitid of a tracee',
  world => {
    const wait = (pid: number, more = 0) => world.system.waitid(P_PID, pid, WSTOPPED | WEXITED | more)?.status

    it('tells its stops with their events, and WNOWAIT leaves them', () => {
      const { system } = world
      const pid = system.fork({
        actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 4 }],
      })
      expect(wait(pid, WNOWAIT)).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
      system.ptraceSetOptions(pid, PTRACE_O_TRACEEXIT)
      expect(wait(pid)).toEqual({ kind: 'stopped', signal: 'SIGSTOP' })
      expect(wait(pid, WNOHANG)).toBeUndefined()
      system.ptraceCont(pid)
      const exiting = { kind: 'stopped', signal: 'SIGTRAP', event: 'exit' }
      expect(wait(pid, WNOWAIT)).toEqual(exiting)
      expect(system.ptraceGetEventMessage(pid)).toBe(0x0400)
      expect(wait(pid)).toEqual(exiting)
      system.ptraceCont(pid)
      expect(wait(pid)).toEqual({ kind: 'exited', code: 4, signal: null })
    })

    it('waits for a stop as for an end, whichever it is asked for', () => {
      const { system } = world
      const pid = system.fork({
        actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGUSR1' }, { op: 'exit', code: 0 }],
      })
      // Of a tracee a wait finds stops unasked.
      expect(system.waitid(P_PID, pid, WEXITED)?.status).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
      system.ptraceCont(pid)
      expect(system.waitid(P_ALL, 0, WEXITED)).toEqual({ pid, status: { kind: 'exited', code: 0, signal: null } })
    })
  },
  { tracing: true },
)
