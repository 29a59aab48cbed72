import { describe, expect, it } from 'vitest'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { decodeWaitStatus } from '../../lib/system/wait-status.ts'
import { failure, heldChild, thrown } from './helpers.ts'
import { describeContract } from './suite.ts'

const { __WALL, WCONTINUED, WNOHANG, WUNTRACED } = constants

const stopped = 0x137f

describeContract('waiting for children', world => {
  const end = (code: number): readonly ChildAction[] => [{ op: 'exit', code }]
  const wait = (pid: number, options?: number) => world.system.waitpid(pid, options)

  it('gives the pid, the raw status, its meaning and what was used', () => {
    const pid = world.system.fork({ actions: end(7) })
    const result = wait(pid)
    expect(result).toMatchObject({ pid, raw: 0x0700, status: { kind: 'exited', code: 7, signal: null } })
    expect(Object.keys(result!.rusage).sort()).toEqual([
      'fsRead',
      'fsWrite',
      'involuntaryContextSwitches',
      'majorPageFault',
      'maxRSS',
      'minorPageFault',
      'systemCPUTime',
      'userCPUTime',
      'voluntaryContextSwitches',
    ])
    for (const used of Object.values(result!.rusage)) {
      expect(used).toBeGreaterThanOrEqual(0)
      expect(Number.isInteger(used)).toBe(true)
    }
  })

  it('blocks until the child ends', () => {
    const { sleep } = world.programs
    const pid = world.system.fork({ actions: [{ op: 'execve', files: [sleep], argv: [sleep, '0.05'], env: [] }] })
    expect(wait(pid)).toMatchObject({ pid, raw: 0 })
  })

  it('with WNOHANG gives null as long as there is nothing', () => {
    const child = heldChild(world.system, { after: end(1) })
    expect(wait(child.pid, WNOHANG)).toBeNull()
    expect(wait(-1, WNOHANG)).toBeNull()
    child.release()
    expect(wait(child.pid)?.raw).toBe(0x0100)
  })

  it('a child is waited for once: then ECHILD', () => {
    const pid = world.system.fork({ actions: end(0) })
    wait(pid)
    expect(failure(() => wait(pid))).toBe('ECHILD')
    expect(failure(() => wait(pid, WNOHANG))).toBe('ECHILD')
  })

  it('without a child, or for what is none of ours, is ECHILD', () => {
    for (const pid of [-1, 1, 2147483647, 0, -2147483647]) expect(failure(() => wait(pid, WNOHANG))).toBe('ECHILD')
  })

  it('for the smallest number is ESRCH, with unknown options EINVAL', () => {
    const child = heldChild(world.system)
    expect(failure(() => wait(-2147483648))).toBe('ESRCH')
    for (const options of [0x10, 0x100, 4, 0x01000000]) expect(failure(() => wait(child.pid, options))).toBe('EINVAL')
    child.release()
    expect(wait(child.pid)?.raw).toBe(0)
  })

  it('an error names the call and the process', () => {
    expect(thrown(() => wait(1, WNOHANG))).toMatchObject({
      code: 'ECHILD',
      errno: -10,
      syscall: 'waitpid',
      pid: 1,
      message: 'ECHILD: no child processes, waitpid',
    })
  })

  it('for any child gives each of them once', () => {
    const pids = [1, 2, 3].map(code => world.system.fork({ actions: end(code) }))
    const seen = pids.map(() => wait(-1)!)
    expect(new Map(seen.map(({ pid, raw }) => [pid, raw]))).toEqual(new Map(pids.map((pid, i) => [pid, (i + 1) << 8])))
    expect(failure(() => wait(-1))).toBe('ECHILD')
  })

  it('for our process group and for the group of a child', () => {
    const ours = heldChild(world.system, { after: end(1) })
    const leader = heldChild(world.system, { before: [{ op: 'setsid' }], after: end(2) })
    expect([wait(0, WNOHANG), wait(-leader.pid, WNOHANG)]).toEqual([null, null])
    leader.release()
    ours.release()
    expect(wait(0)).toMatchObject({ pid: ours.pid, raw: 0x0100 })
    expect(failure(() => wait(0, WNOHANG))).toBe('ECHILD')
    expect(wait(-leader.pid)).toMatchObject({ pid: leader.pid, raw: 0x0200 })
  })

  it('takes its options signed or not', () => {
    const pid = world.system.fork({ actions: end(0) })
    expect(wait(pid, __WALL)?.raw).toBe(0)
    expect(failure(() => wait(pid, constants.__WCLONE | 0))).toBe('ECHILD')
    expect(failure(() => wait(pid, constants.__WCLONE >>> 0))).toBe('ECHILD')
  })

  describe('statuses', () => {
    it.for([0, 1, 2, 126, 127, 128, 255])('of exit(%i)', code => {
      const result = wait(world.system.fork({ actions: end(code) }))!
      expect(result.raw).toBe(code << 8)
      expect(result.status).toEqual({ kind: 'exited', code, signal: null })
    })

    it.for([1, 2, 9, 14, 15, 34, 64])('of death by signal %i', signal => {
      const child = heldChild(world.system)
      world.system.kill(child.pid, signal)
      const result = wait(child.pid)!
      expect(result.raw).toBe(signal)
      expect(result.status).toEqual(decodeWaitStatus(signal))
      expect(result.status.kind).toBe('signaled')
    })
  })

  describe('stops', () => {
    const stoppedChild = (after: readonly ChildAction[] = []) => {
      const child = heldChild(world.system, { after })
      world.system.kill(child.pid, 'SIGSTOP')
      return child
    }

    it('are reported with WUNTRACED, once', () => {
      const { pid } = stoppedChild()
      expect(wait(pid, WUNTRACED)).toMatchObject({ raw: stopped, status: { kind: 'stopped', signal: 'SIGSTOP' } })
      expect(wait(pid, WUNTRACED | WNOHANG)).toBeNull()
    })

    it('are not reported without it', () => {
      const { pid } = stoppedChild()
      wait(pid, WUNTRACED)
      world.system.kill(pid, 'SIGCONT')
      wait(pid, WCONTINUED)
      world.system.kill(pid, 'SIGSTOP')
      expect(wait(pid, WNOHANG)).toBeNull()
    })

    it('end with SIGCONT, which is reported with WCONTINUED, once', () => {
      const child = stoppedChild(end(4))
      wait(child.pid, WUNTRACED)
      expect(wait(child.pid, WCONTINUED | WNOHANG)).toBeNull()
      world.system.kill(child.pid, 'SIGCONT')
      expect(wait(child.pid, WCONTINUED)).toMatchObject({ raw: 0xffff, status: { kind: 'continued' } })
      expect(wait(child.pid, WCONTINUED | WNOHANG)).toBeNull()
      child.release()
      expect(wait(child.pid)?.raw).toBe(0x0400)
    })

    it('SIGCONT for a running child is not reported', () => {
      const child = heldChild(world.system, { after: end(0) })
      world.system.kill(child.pid, 'SIGCONT')
      expect(wait(child.pid, WCONTINUED | WNOHANG)).toBeNull()
      child.release()
      expect(wait(child.pid, WCONTINUED)?.raw).toBe(0)
    })

    it('signals wait for the end of a stop, SIGKILL does not', () => {
      const first = stoppedChild()
      wait(first.pid, WUNTRACED)
      world.system.kill(first.pid, 'SIGTERM')
      expect(wait(first.pid, WNOHANG)).toBeNull()
      world.system.kill(first.pid, 'SIGCONT')
      expect(wait(first.pid)?.raw).toBe(15)
      const second = stoppedChild()
      wait(second.pid, WUNTRACED)
      world.system.kill(second.pid, 'SIGKILL')
      expect(wait(second.pid)?.raw).toBe(9)
    })
  })
})
