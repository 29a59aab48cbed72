import { expect, it } from 'vitest'
import { openSystem } from '../../lib/open-system.ts'
import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { privateCallsOf } from '../../lib/system/private-calls.ts'
import { decodeWaitStatus } from '../../lib/system/wait-status.ts'
import { describeNative } from '../support/describe-native.ts'
import { tidyNative } from '../support/tidy.ts'

const { P_PID, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, WEXITED, WNOWAIT, WSTOPPED } = constants

const ownStop: ChildAction[] = [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }]
const exec: ChildAction = { op: 'execve', files: ['/bin/true'], argv: ['true'], env: [] }

describeNative('the stop of a child in launch', () => {
  const system = tidyNative()

  const take = (pid: number) =>
    privateCallsOf(openSystem('native'))?.takeLaunchStop?.(pid, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)
  /** Waits until the child has changed, and leaves the change pending. */
  const untilChanged = (pid: number) => system.waitid(P_PID, pid, WSTOPPED | WEXITED | WNOWAIT)

  it('is answered if it is the SIGSTOP that the child has raised', () => {
    const pid = system.fork({ actions: [...ownStop, exec] })
    untilChanged(pid)
    expect(take(pid)).toBe('answered')
    untilChanged(pid)
    expect(decodeWaitStatus(take(pid) as number)).toEqual({ kind: 'stopped', signal: 'SIGTRAP', event: 'exec' })
    system.ptraceCont(pid)
    expect(system.waitpid(pid)?.status).toEqual({ kind: 'exited', code: 0, signal: null })
  })

  it('is given if it is for another signal, which the child has not got yet', () => {
    const pid = system.fork({ actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGUSR1' }, exec] })
    untilChanged(pid)
    expect(decodeWaitStatus(take(pid) as number)).toEqual({ kind: 'stopped', signal: 'SIGUSR1' })
    system.ptraceCont(pid, 'SIGUSR1')
    expect(system.waitpid(pid)?.status).toMatchObject({ kind: 'signaled', signal: 'SIGUSR1' })
  })

  it('is none while the child runs, and once it has ended', () => {
    const [r, w] = system.pipe2()
    const pid = system.fork({ actions: [{ op: 'read', fd: r, bytes: 1 }, ...ownStop, exec] })
    expect(take(pid)).toBe(0)
    system.write(w, Uint8Array.of(1))
    untilChanged(pid)
    system.kill(pid, 'SIGKILL')
    system.waitid(P_PID, pid, WEXITED | WNOWAIT)
    expect(take(pid)).toBe(0)
    expect(system.waitpid(pid)?.status).toMatchObject({ kind: 'signaled', signal: 'SIGKILL' })
    expect(take(pid)).toBe(0)
  })

  it('is none for a stop of job control, before the child is traced', () => {
    const pid = system.fork({
      actions: [
        { op: 'raise', signal: 'SIGSTOP' },
        { op: 'exit', code: 3 },
      ],
    })
    untilChanged(pid)
    expect(take(pid)).toBe(0)
    system.kill(pid, 'SIGCONT')
    expect(system.waitpid(pid)?.status).toEqual({ kind: 'exited', code: 3, signal: null })
  })
})
