/** The numbers and arguments of system calls: a native program's, and a simulated one's that makes the same calls. */

import { describe, expect, it } from 'vitest'
import { syscallName, syscallNumber } from '../../lib/index.ts'
import { openSystem } from '../../lib/open-system.ts'
import { syscallNumbers } from '../../lib/sim/calls/syscall-numbers.ts'
import { type Program, SimulatedKernel } from '../../lib/sim/index.ts'
import { constants } from '../../lib/system/constants.ts'
import { isErrno } from '../../lib/system/errors.ts'
import type { SyscallInfo } from '../../lib/system/syscall-info.ts'
import type { System } from '../../lib/system/system.ts'
import { compileFixture, whyNoCompiler } from '../support/c-program.ts'
import { whyNoNative } from '../support/native.ts'

const { AF_UNIX, SOCK_STREAM, SOL_SOCKET, SO_SNDBUF, MSG_PEEK, MSG_NOSIGNAL, SHUT_WR, WNOHANG } = constants
const { O_CLOEXEC, O_RDWR, F_SETFD, PTRACE_O_TRACEEXEC, PTRACE_O_TRACESYSGOOD } = constants

/** The calls of test/fixtures/calls.c. */
const calls: Program = function* (process) {
  const bytes = new Uint8Array(8)
  const [reader, writer] = yield* process.pipe2(O_CLOEXEC)
  yield* process.write(writer, bytes.subarray(0, 3))
  yield* process.read(reader, bytes)
  yield* process.dup(reader)
  yield* process.dup3(reader, 20, O_CLOEXEC)
  yield* process.fcntl(20, F_SETFD, 0)
  yield* process.close(20)
  try {
    yield* process.close(20)
  } catch {
    // EBADF.
  }
  const [one, other] = yield* process.socketpair(AF_UNIX, SOCK_STREAM, 0)
  yield* process.send(one, bytes.subarray(0, 5), MSG_NOSIGNAL)
  yield* process.recv(other, bytes, MSG_PEEK)
  yield* process.shutdown(one, SHUT_WR)
  yield* process.setsockopt(one, SOL_SOCKET, SO_SNDBUF, 4096)
  yield* process.epollCreate1(0)
  yield* process.kill(process.pid, 0)
  try {
    yield* process.waitpid(-1, WNOHANG)
  } catch {
    // ECHILD.
  }
  yield* process.setpgid(0, 0)
  try {
    yield* process.chdir('/no/such/folder')
  } catch {
    // ENOENT.
  }
  yield* process.schedYield()
  yield* process.exit(3)
}

interface Call {
  readonly name: string
  readonly args: readonly number[]
  readonly result: string
  readonly registers: readonly number[]
}

/** An argument that is an address of the native program: what it is not compared in the simulation. */
const isAddress = (value: bigint) => value > 0xffff_ffffn

/** The number and the arguments in the registers of a call. */
function inRegisters(system: System, pid: number): number[] {
  const all = system.ptraceGetRegisters(pid)
  const values =
    all.architecture === 'x64'
      ? [all.orig_rax, all.rdi, all.rsi, all.rdx, all.r10, all.r8, all.r9]
      : all.architecture === 'arm64'
        ? [all.x8, all.x0, all.x1, all.x2, all.x3, all.x4, all.x5]
        : []
  return values.map(value => (isAddress(value) ? 0 : Number(BigInt.asIntN(32, value))))
}

/** Every call of a program from its exec on, by PTRACE_GET_SYSCALL_INFO and by the registers. */
function traced(system: System, file: string): Call[] {
  const pid = system.fork({
    actions: [
      { op: 'traceme' },
      { op: 'raise', signal: 'SIGSTOP' },
      ...[0, 1, 2].map(target => ({ op: 'open', path: '/dev/null', flags: O_RDWR, target }) as const),
      { op: 'closeAllExcept', fds: [0, 1, 2] },
      { op: 'execve', files: [file], argv: [file], env: [] },
    ],
  })
  system.waitpid(pid)
  system.ptraceSetOptions(pid, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)
  system.ptraceCont(pid)
  expect(system.waitpid(pid)?.raw).toBe(0x04057f)
  system.ptraceSyscall(pid)
  expect(system.waitpid(pid)?.raw).toBe(0x857f)
  const found: Call[] = []
  for (;;) {
    system.ptraceSyscall(pid)
    const { status } = system.waitpid(pid)!
    if (status.kind !== 'stopped') {
      expect(status).toMatchObject({ kind: 'exited', code: 3 })
      return found
    }
    const entry = system.ptraceGetSyscallInfo(pid)
    if (entry.phase !== 'entry') throw new Error(`not at an entry: ${entry.phase}`)
    const registers = inRegisters(system, pid)
    const name = syscallName(entry.number, entry.architecture)!
    const args = entry.args.map(value => (isAddress(value) ? 0 : Number(BigInt.asIntN(32, value))))
    expect(registers).toEqual([entry.number, ...args])
    let exit: SyscallInfo | undefined
    if (name !== 'exit_group') {
      system.ptraceSyscall(pid)
      system.waitpid(pid)
      exit = system.ptraceGetSyscallInfo(pid)
    }
    const result = exit?.phase === 'exit' ? `${exit.result} ${exit.isError}` : 'none'
    const atExit = exit === undefined ? [] : inRegisters(system, pid)
    const pids = name === 'kill' ? [0, args[1]!] : args
    found.push({ name, args: pids, result, registers: atExit.slice(0, 1) })
  }
}

/** The addresses of either world are left out; unused registers of a native call have what was there before. */
const used: Readonly<Record<string, readonly number[]>> = {
  pipe2: [1],
  write: [0, 2],
  read: [0, 2],
  dup: [0],
  dup3: [0, 1, 2],
  fcntl: [0, 1, 2],
  close: [0],
  socketpair: [0, 1, 2],
  sendto: [0, 2, 3, 4, 5],
  recvfrom: [0, 2, 3],
  shutdown: [0, 1],
  setsockopt: [0, 1, 2, 4],
  epoll_create1: [0],
  kill: [1],
  wait4: [0, 2],
  setpgid: [0, 1],
  chdir: [],
  sched_yield: [],
  exit_group: [0],
}

function shown(found: readonly Call[]): string[] {
  return found.map(({ name, args, result }) => `${name}(${used[name]?.map(i => args[i]).join(', ')}) = ${result}`)
}

describe('the numbers of simulated calls', () => {
  it.each(Object.entries(syscallNumbers))('%s is what Linux has', (name, [x64, arm64]) => {
    expect(x64).toBe(syscallNumber(name, 'x64') ?? -1)
    expect(arm64).toBe(syscallNumber(name, 'arm64') ?? -1)
  })

  it.skipIf(whyNoNative !== undefined || whyNoCompiler !== undefined)(
    'are shown to a tracer with the arguments and results that a native program has',
    () => {
      const kernel = new SimulatedKernel({ programs: { '/bin/calls': calls } })
      const simulated = shown(traced(kernel.host, '/bin/calls'))
      const all = traced(openSystem('native'), compileFixture('calls', ['-static']))
      const native = shown(all.slice(all.findIndex(({ name }) => name === 'pipe2'))).filter(
        line => !line.startsWith('getpid'),
      )
      expect(simulated).toEqual(native)
    },
  )

  it('are in the registers at the exit of the call, and no number is there between calls', () => {
    const kernel = new SimulatedKernel({ programs: { '/bin/calls': calls } })
    const found = traced(kernel.host, '/bin/calls').filter(({ name }) => name !== 'exit_group')
    for (const { name, registers } of found) expect(registers[0]).toBe(syscallNumber(name, process.arch as 'x64'))
  })
})

describe('registers that a tracer sets at a call', () => {
  it('are what it reads until the tracee goes on, and the next call has its own', () => {
    const { host } = new SimulatedKernel({ programs: { '/bin/calls': calls } })
    const pid = host.fork({
      actions: [{ op: 'traceme' }, { op: 'execve', files: ['/bin/calls'], argv: ['calls'], env: [] }],
    })
    host.waitpid(pid)
    host.ptraceSyscall(pid)
    host.waitpid(pid)
    expect(inRegisters(host, pid).slice(0, 3)).toEqual([syscallNumber('pipe2', process.arch as 'x64'), 0, O_CLOEXEC])
    host.ptraceSetRegisters(pid, process.arch === 'arm64' ? { x0: 5n } : { rdi: 5n })
    expect(inRegisters(host, pid).slice(0, 3)).toEqual([syscallNumber('pipe2', process.arch as 'x64'), 5, O_CLOEXEC])
    host.ptraceSyscall(pid)
    host.waitpid(pid)
    host.ptraceSyscall(pid)
    host.waitpid(pid)
    expect(inRegisters(host, pid).slice(0, 4)).toEqual([syscallNumber('write', process.arch as 'x64'), 4, 0, 3])
    host.kill(pid, 'SIGKILL')
    host.waitpid(pid)
  })
})

describe('accesses to the memory of a simulated program', () => {
  it('make no syscall-stops', () => {
    const kernel = new SimulatedKernel()
    const cell = kernel.cell(1)
    kernel.install('/bin/calls', function* (process) {
      yield* process.store(cell, (yield* process.load(cell)) + 1)
      yield* process.schedYield()
      yield* process.store(cell, (yield* process.load(cell)) + 1)
      return 3
    })
    expect(shown(traced(kernel.host, '/bin/calls'))).toEqual(['sched_yield() = 0 false', 'exit_group(3) = none'])
    expect(cell.value).toBe(3)
  })
})

describe('a call that a signal interrupts', () => {
  it('ends with the restart that the kernel has in mind, and a wait for a time goes on by restart_syscall', () => {
    const kernel = new SimulatedKernel()
    kernel.install('/bin/calls', function* (process) {
      yield* process.sleep(1000)
      try {
        yield* process.pause()
      } catch (error) {
        if (!isErrno(error, 'EINTR')) throw error
      }
    })
    const { host } = kernel
    const pid = host.fork({
      actions: [{ op: 'traceme' }, { op: 'execve', files: ['/bin/calls'], argv: ['calls'], env: [] }],
    })
    host.waitpid(pid)
    host.ptraceSetOptions(pid, PTRACE_O_TRACESYSGOOD)
    const next = (signal = 0) => {
      host.ptraceSyscall(pid, signal)
      kernel.settle()
      const { raw } = host.waitpid(pid, WNOHANG) ?? { raw: 0 }
      if (raw === 0) {
        host.kill(pid, 'SIGWINCH')
        host.waitpid(pid)
      }
      const info = host.ptraceGetSyscallInfo(pid)
      if (info.phase === 'entry') return syscallName(info.number, info.architecture)
      return info.phase === 'exit' ? `${info.result} ${info.isError}` : 'signal'
    }
    const seen: unknown[] = []
    for (let count = 0; count < 5; count++) seen.push(next())
    expect(seen).toEqual(['nanosleep', '-516 true', 'signal', 'restart_syscall', '-516 true'])
    host.kill(pid, 'SIGKILL')
    host.waitpid(pid)
  })
})
