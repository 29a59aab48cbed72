import { describe, expect, it } from 'vitest'
import { bytes, constants, exec, outcome, program, wait, world } from '../world.ts'
import { stop, traced, traceme } from './traced.ts'

const { WNOHANG, WUNTRACED, __WALL } = constants
const {
  PTRACE_O_TRACESYSGOOD: SYSGOOD,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEEXIT,
  PTRACE_O_EXITKILL,
} = constants

describe('PTRACE_TRACEME', () => {
  it('and exec: 0x057f with si_code 0 of itself, then the exit 0x0700', () => {
    const { host, kernel, pid } = traced(exec('/seven'))
    // biome-ignore lint/correctness/useYield: it ends at once
    kernel.install('/seven', function* () {
      return 7
    })
    expect(wait(host, pid)).toBe(0x057f)
    expect(host.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGTRAP', code: 0, pid })
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x0700)
  })

  it('finds close-on-exec descriptors closed at that stop', () => {
    const { host } = world()
    const [r, w] = host.pipe2(constants.O_CLOEXEC)
    const pid = host.fork(program(traceme, exec('/bin/true')))
    host.close(w)
    expect(wait(host, pid)).toBe(0x057f)
    expect(host.read(r, bytes(1))).toBe(0)
    host.kill(pid, 'SIGKILL')
    host.waitpid(pid)
  })

  it('does not stop at exec while SIGTRAP is blocked, and does while it is ignored', () => {
    const { host, kernel } = world()
    kernel.install('/blocks', function* (process) {
      yield* process.sigprocmask('block', ['SIGTRAP'])
      yield* process.traceme()
      yield* process.execve('/bin/true')
    })
    kernel.install('/ignores', function* (process) {
      yield* process.sigaction('SIGTRAP', 'ignore')
      yield* process.traceme()
      yield* process.execve('/bin/true')
    })
    expect(wait(host, host.fork(program(exec('/blocks'))))).toBe(0)
    const pid = host.fork(program(exec('/ignores')))
    expect(wait(host, pid)).toBe(0x057f)
  })

  it('does not stop for an exec that fails', () => {
    const { host, pid } = traced(exec('/nowhere'))
    expect(wait(host, pid)).toBe(127 << 8)
  })

  it('is EPERM the second time, and is not inherited', () => {
    const { host, pid } = traced(traceme)
    expect(wait(host, pid)).toBe(127 << 8)
  })
})

describe('a raised SIGSTOP', () => {
  it('is 0x137f, and with TRACEEXEC the exec is 0x04057f with no further SIGTRAP', () => {
    const { host, pid } = traced(stop, exec('/bin/true'))
    expect(wait(host, pid)).toBe(0x137f)
    host.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x04057f)
    expect(host.ptraceGetEventMessage(pid)).toBe(pid)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0)
  })

  it('continued with SIGSTOP is a group-stop: a second 0x137f, whose GETSIGINFO is EINVAL, and CONT 0 then runs it', () => {
    const { host, pid } = traced(stop, { op: 'exit', code: 3 })
    expect(wait(host, pid)).toBe(0x137f)
    expect(host.ptraceGetSigInfo(pid)).toMatchObject({ signal: 'SIGSTOP', code: -6, pid })
    host.ptraceCont(pid, 'SIGSTOP')
    expect(wait(host, pid)).toBe(0x137f)
    expect(outcome(() => host.ptraceGetSigInfo(pid))).toBe('EINVAL')
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x300)
  })

  it('before TRACEME, untraced, is invisible without WUNTRACED', () => {
    const { host, kernel } = world()
    const pid = host.fork(program(stop))
    kernel.settle()
    expect([wait(host, pid, WNOHANG), wait(host, pid, WNOHANG | WUNTRACED)]).toEqual([null, 0x137f])
  })

  it('in a tracee is reported to the tracer without WUNTRACED', () => {
    const { host, kernel, pid } = traced(stop)
    kernel.settle()
    expect(wait(host, pid, WNOHANG)).toBe(0x137f)
  })
})

describe('options', () => {
  it('TRACEEXIT stops with 0x06057f, the status being the message; for SIGKILL too', () => {
    const { host, pid } = traced(stop, { op: 'exit', code: 7 })
    wait(host, pid)
    host.ptraceSetOptions(pid, PTRACE_O_TRACEEXIT)
    host.ptraceCont(pid)
    expect([wait(host, pid), host.ptraceGetEventMessage(pid)]).toEqual([0x06057f, 0x700])
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x700)
    const other = traced(stop)
    wait(other.host, other.pid)
    other.host.ptraceSetOptions(other.pid, PTRACE_O_TRACEEXIT)
    other.host.kill(other.pid, 'SIGKILL')
    expect([wait(other.host, other.pid), other.host.ptraceGetEventMessage(other.pid)]).toEqual([0x06057f, 9])
    other.host.kill(other.pid, 'SIGKILL')
    other.kernel.settle()
    expect(wait(other.host, other.pid, WNOHANG)).toBeNull()
    other.host.ptraceCont(other.pid)
    expect(wait(other.host, other.pid)).toBe(9)
  })

  it('TRACEFORK stops with 0x01057f, the child with 0x137f', () => {
    const { host, kernel, pid } = traced(stop, exec('/forks'))
    kernel.install('/forks', function* (process) {
      const child = yield* process.fork(function* () {})
      yield* process.waitpid(child)
    })
    wait(host, pid)
    host.ptraceSetOptions(pid, PTRACE_O_TRACEFORK)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x057f)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x01057f)
    const child = host.ptraceGetEventMessage(pid)
    expect(wait(host, child)).toBe(0x137f)
    host.ptraceCont(child)
    host.ptraceCont(pid)
    expect(wait(host, child)).toBe(0)
    // The real parent sees the end after the tracer. It is traced, so its SIGCHLD stops it.
    expect(wait(host, pid)).toBe(0x117f)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0)
  })

  it('TRACECLONE stops with 0x03057f, and the thread is waited for by its number', () => {
    const { host, kernel, pid } = traced(stop, exec('/threads'))
    kernel.install('/threads', function* (process) {
      yield* process.thread(function* () {})
      yield* process.sleep(10)
    })
    wait(host, pid)
    host.ptraceSetOptions(pid, constants.PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x04057f)
    host.ptraceCont(pid)
    expect(wait(host, pid)).toBe(0x03057f)
    const thread = host.ptraceGetEventMessage(pid)
    expect(wait(host, thread, __WALL)).toBe(0x137f)
    host.ptraceCont(thread)
    host.ptraceCont(pid)
    expect([wait(host, thread, __WALL), wait(host, pid)]).toEqual([0, 0])
  })

  it('SYSGOOD marks the stops of PTRACE_SYSCALL: 0x857f', () => {
    const { host, pid } = traced(stop, { op: 'setsid' })
    wait(host, pid)
    host.ptraceSetOptions(pid, SYSGOOD)
    for (let i = 0; i < 2; i++) {
      host.ptraceSyscall(pid)
      expect(wait(host, pid)).toBe(0x857f)
    }
    host.ptraceSetOptions(pid, 0)
    // exit_group(2) has a syscall-entry-stop and no syscall-exit-stop.
    host.ptraceSyscall(pid)
    expect(wait(host, pid)).toBe(0x057f)
    host.ptraceSyscall(pid)
    expect(wait(host, pid)).toBe(0)
  })

  it('EXITKILL kills a tracee when its tracer ends; without it the tracee goes on', () => {
    for (const [options, status] of [
      [PTRACE_O_EXITKILL, 9],
      [0, 0x500],
    ] as const) {
      const { host, kernel } = world()
      let child = 0
      kernel.install('/tracer', function* (process) {
        yield* process.ptraceSeize(child, options)
        yield* process.ptraceInterrupt(child)
        yield* process.waitpid(child, __WALL)
      })
      child = host.fork(program({ op: 'read', fd: host.pipe2()[0], bytes: 1 }, { op: 'exit', code: 5 }))
      kernel.settle()
      expect(wait(host, host.fork(program(exec('/tracer'))))).toBe(0)
      kernel.settle()
      if (status !== 9) host.write(4, bytes(1))
      expect(wait(host, child)).toBe(status)
    }
  })

  it('unknown to SETOPTIONS are EINVAL, to SEIZE EIO; a bad signal is EIO', () => {
    const { host, pid } = traced(stop)
    wait(host, pid)
    expect(outcome(() => host.ptraceSetOptions(pid, 1 << 30))).toBe('EINVAL')
    expect([outcome(() => host.ptraceCont(pid, 65)), outcome(() => host.ptraceDetach(pid, 65))]).toEqual(['EIO', 'EIO'])
    const other = host.fork(program({ op: 'read', fd: host.pipe2()[0], bytes: 1 }))
    expect(outcome(() => host.ptraceSeize(other, 1 << 30))).toBe('EIO')
  })
})

describe('requests', () => {
  it('are ESRCH for a task that is not traced or not stopped; ATTACH twice or to oneself is EPERM', () => {
    const { host, kernel, pid } = traced(stop, exec('/pauses'))
    wait(host, pid)
    host.ptraceCont(pid)
    expect(outcome(() => host.ptraceCont(pid))).toBe('ESRCH')
    expect(wait(host, pid)).toBe(0x057f)
    expect(outcome(() => host.ptraceAttach(pid))).toBe('EPERM')
    const stranger = host.fork(program({ op: 'read', fd: host.pipe2()[0], bytes: 1 }))
    kernel.settle()
    expect(outcome(() => host.ptraceCont(stranger))).toBe('ESRCH')
    expect(outcome(() => host.ptraceAttach(100))).toBe('EPERM')
  })

  it('of another thread than the tracer are ESRCH, but it may wait, unless with __WNOTHREAD', () => {
    const { host, kernel } = world()
    const seen: unknown[] = []
    kernel.install('/tracer', function* (process) {
      const child = yield* process.fork(program(traceme, stop, { op: 'exit', code: 4 }))
      yield* process.thread(function* (thread) {
        for (const attempt of [
          () => thread.waitpid(child, constants.__WNOTHREAD),
          () => thread.waitpid(child),
          () => thread.ptraceCont(child),
        ]) {
          try {
            seen.push((yield* attempt())?.raw)
          } catch (error) {
            seen.push((error as { code: string }).code)
          }
        }
      })
      yield* process.sleep(10)
      yield* process.ptraceCont(child)
      seen.push((yield* process.waitpid(child))?.raw)
    })
    expect(wait(host, host.fork(program(exec('/tracer'))))).toBe(0)
    expect(seen).toEqual(['ECHILD', 0x137f, 'ESRCH', 0x400])
  })

  it('SIGKILL in a stop ends the tracee with 0x0009 directly', () => {
    const { host, pid } = traced(stop)
    wait(host, pid)
    host.kill(pid, 'SIGKILL')
    expect(wait(host, pid)).toBe(9)
  })
})

describe('registers and memory', () => {
  it('are those of a program at its start: the stack with argc, argv and env', () => {
    const { host, pid } = traced(stop, { op: 'execve', files: ['/bin/echo'], argv: ['echo', 'hi'], env: ['A=1'] })
    wait(host, pid)
    host.ptraceSetOptions(pid, PTRACE_O_TRACEEXEC)
    host.ptraceCont(pid)
    wait(host, pid)
    const { sp: stack } = host.ptraceGetRegisters(pid)
    const word = (at: bigint) => new DataView(host.readMemory(pid, at, 8).slice().buffer).getBigUint64(0, true)
    expect(word(stack)).toBe(2n)
    const first = word(stack + 8n)
    expect(new TextDecoder().decode(host.readMemory(pid, first, 12))).toBe('echo\0hi\0A=1\0')
    expect(host.writeMemory(pid, first, new TextEncoder().encode('ECHO'))).toBe(4)
    expect(new TextDecoder().decode(host.readMemory(pid, first, 4))).toBe('ECHO')
    expect(outcome(() => host.readMemory(pid, 8n, 1))).toBe('EFAULT')
  })
})
