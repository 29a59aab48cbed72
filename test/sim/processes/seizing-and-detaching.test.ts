import { describe, expect, it } from 'vitest'
import { bytes, constants, exec, outcome, program, read, wait, world } from '../world.ts'
import { stop, traced } from './traced.ts'

const { WNOHANG, WUNTRACED } = constants
const { PTRACE_O_TRACEEXEC, PTRACE_O_EXITKILL } = constants

describe('PTRACE_SEIZE', () => {
  function seized() {
    const { host, kernel } = world()
    const [r] = host.pipe2()
    const pid = host.fork(program({ op: 'read', fd: r, bytes: 1 }, exec('/bin/true')))
    kernel.settle()
    host.ptraceSeize(pid, 0)
    return { host, kernel, pid }
  }

  it('does not stop; INTERRUPT does, with 0x80057f', () => {
    const { host, kernel, pid } = seized()
    kernel.settle()
    expect(wait(host, pid, WNOHANG)).toBeNull()
    host.ptraceInterrupt(pid)
    expect(wait(host, pid)).toBe(0x80057f)
    expect(host.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGTRAP', code: 0x8005 })
  })

  it('has no exec stop', () => {
    const { host, pid } = seized()
    host.write(4, bytes(1))
    expect(wait(host, pid)).toBe(0)
  })

  it('sees a group-stop as 0x80137f, listens in it, and traps again with 0x80057f at SIGCONT', () => {
    const { host, kernel, pid } = seized()
    host.kill(pid, 'SIGSTOP')
    expect(wait(host, pid)).toBe(0x137f)
    expect(host.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGSTOP', code: 0, pid: 100 })
    host.ptraceCont(pid, 'SIGSTOP')
    expect(wait(host, pid)).toBe(0x80137f)
    host.ptraceListen(pid)
    kernel.settle()
    expect([outcome(() => host.ptraceListen(pid)), outcome(() => host.ptraceCont(pid))]).toEqual(['ESRCH', 'ESRCH'])
    expect(wait(host, pid, WNOHANG)).toBeNull()
    host.kill(pid, 'SIGCONT')
    expect(wait(host, pid)).toBe(0x80057f)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x127f)
    host.ptraceCont(pid)
    kernel.settle()
    expect(wait(host, pid, WNOHANG)).toBeNull()
  })

  it('LISTEN and INTERRUPT: a listening tracee traps again', () => {
    const { host, pid } = seized()
    host.ptraceInterrupt(pid)
    expect(wait(host, pid)).toBe(0x80057f)
    host.ptraceListen(pid)
    host.ptraceInterrupt(pid)
    expect(wait(host, pid)).toBe(0x80057f)
  })
})

describe('PTRACE_SEIZE of a process that was killed', () => {
  it('takes it until it is a zombie, then EPERM: its end can be waited for either way', () => {
    // Only the host moves, until it has to wait.
    const { host, kernel } = world({ scheduler: { choose: () => 0 } })
    const killed = () => {
      const [r, w] = host.pipe2()
      const pid = host.fork(program({ op: 'close', fd: r }, { op: 'read', fd: host.pipe2()[0], bytes: 1 }))
      host.close(w)
      host.kill(pid, 'SIGKILL')
      return { pid, closed: () => read(host, r) === '' }
    }
    const ending = killed()
    expect(ending.closed()).toBe(true)
    expect(outcome(() => host.waitpid(ending.pid, WNOHANG))).toBe(null)
    host.ptraceSeize(ending.pid, 0)
    expect(wait(host, ending.pid)).toBe(9)
    const ended = killed()
    kernel.settle()
    expect(outcome(() => host.ptraceSeize(ended.pid, 0))).toBe('EPERM')
    expect(wait(host, ended.pid, WNOHANG)).toBe(9)
  })
})

describe('PTRACE_DETACH', () => {
  it('with SIGSTOP at a signal-delivery-stop leaves it stopped: attached and seized again, detached, continued', () => {
    const { host, kernel, pid } = traced(stop, exec('/pauses'))
    wait(host, pid)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x057f)
    host.ptraceCont(pid)
    host.kill(pid, 'SIGUSR1')
    expect(wait(host, pid)).toBe(0x0a7f)
    host.ptraceDetach(pid, 'SIGSTOP')
    expect(wait(host, pid, WUNTRACED)).toBe(0x137f)
    host.ptraceSeize(pid, 0)
    expect(wait(host, pid)).toBe(0x80137f)
    host.ptraceDetach(pid)
    kernel.settle()
    expect(wait(host, pid, WNOHANG | WUNTRACED)).toBeNull()
    host.ptraceAttach(pid)
    expect(wait(host, pid)).toBe(0x137f)
    expect(outcome(() => host.ptraceGetSigInfo(pid))).toBe('EINVAL')
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x137f)
    expect(host.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGSTOP', code: 128 })
    host.ptraceDetach(pid, 'SIGSTOP')
    kernel.settle()
    host.kill(pid, 'SIGCONT')
    kernel.settle()
    expect(wait(host, pid, WNOHANG | constants.WCONTINUED)).toBe(0xffff)
  })

  it('at an event stop loses its signal', () => {
    const { host, pid } = traced(stop, exec('/bin/true'))
    wait(host, pid)
    host.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x04057f)
    host.ptraceDetach(pid, 'SIGSTOP')
    expect(wait(host, pid, WUNTRACED)).toBe(0)
  })

  it('leaves a hand-off at the exec event stopped when a SIGSTOP was sent before', () => {
    const { host, kernel, pid } = traced(stop, exec('/pauses'))
    wait(host, pid)
    host.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
    host.ptraceCont(pid)
    wait(host, pid)
    host.kill(pid, 'SIGSTOP')
    host.ptraceDetach(pid)
    kernel.settle()
    expect(wait(host, pid, WNOHANG | WUNTRACED)).toBe(0x137f)
  })
})

describe('a tracer that is not the parent', () => {
  it('sees the end first; the parent then sees the same status', () => {
    const { host, kernel } = world()
    const seen: unknown[] = []
    let child = 0
    kernel.install('/tracer', function* (process) {
      yield* process.ptraceSeize(child, 0)
      seen.push((yield* process.waitpid(child))?.raw)
    })
    child = host.fork(program({ op: 'read', fd: host.pipe2()[0], bytes: 1 }, { op: 'exit', code: 6 }))
    kernel.settle()
    const tracer = host.fork(program(exec('/tracer')))
    kernel.settle()
    host.write(4, bytes(1))
    expect([wait(host, tracer), wait(host, child)]).toEqual([0, 0x600])
    expect(seen).toEqual([0x600])
  })
})
