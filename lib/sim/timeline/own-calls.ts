/** How the calls are described that System does not have: a program's own, a child program's, the kernel's. */

import type { ChildCalls } from '../calls/child-calls.ts'
import type { Cell } from '../programs/cell.ts'
import type { ownCalls } from '../programs/own-calls.ts'
import { systemCalls } from './system-calls.ts'
import { type DescribeFd, present, shortValue, signalText } from './words.ts'

type OwnCalls = typeof ownCalls
type OwnRows = {
  readonly [Name in keyof OwnCalls]: (...args: Parameters<OwnCalls[Name]['prepare']>) => string[]
}

/** A simulated program's calls about itself. A call without a row does not compile. */
export const programCalls: OwnRows = {
  exit: code => [String(code)],
  exitThread: code => [String(code)],
  execve: path => [path],
  open: path => [path],
  chdir: path => [path],
  traceme: () => ['TRACEME'],
  setsid: () => [],
  setpgid: (pid, group) => [String(pid), String(group)],
  setParentDeathSignal: signal => ['PDEATHSIG', signal === 0 ? '0' : signalText(signal)],
  setLimit: (limit, value) => [shortValue(limit), String(value)],
  raise: signal => [signalText(signal)],
  pause: () => [],
  schedYield: () => [],
  sleep: ms => [`${ms} ms`],
  sigaction: signal => [signalText(signal)],
  sigprocmask: () => [],
  clone: () => [],
  forkProgram: () => [],
  vforkProgram: () => [],
  join: ({ tid }) => ['WAIT', String(tid)],
}

type ChildRows = { readonly [Name in keyof ChildCalls]: (fd: DescribeFd, ...args: ChildCalls[Name]) => string[] }

/** The calls of a child program, by their names in C. A call without a row does not compile. */
export const childCalls: ChildRows = {
  ptrace: () => ['TRACEME'],
  read: (fd, file) => [fd(file)],
  write: systemCalls.write,
  close: systemCalls.close,
  close_range: (_, fds) => [`all but ${fds.join(' ')}`],
  dup3: systemCalls.dup3,
  fcntl: systemCalls.fcntl,
  ppoll: (fd, file) => [fd(file)],
  openat: (_, path) => [path],
  chdir: (_, path) => [path],
  execve: (_, path) => [path],
  exit_group: (_, code) => [String(code)],
  getppid: () => [],
  setsid: () => [],
  setpgid: (_, group) => [String(group)],
  prctl: (_, request, value) =>
    present(
      request,
      value === undefined ? '' : request === 'PDEATHSIG' && value !== 0 ? signalText(value) : String(value),
    ),
  tgkill: (_, signal) => [signalText(signal)],
  rt_sigaction: (_, signal) => [signalText(signal)],
  rt_sigprocmask: () => [],
  umask: (_, mask) => [String(mask)],
  prlimit64: (_, resource, soft) => [shortValue(resource), String(soft)],
  setpriority: (_, nice) => [String(nice)],
  sched_setaffinity: (_, cpus) => [shortValue(cpus)],
  personality: (_, on) => [String(on)],
}

/** Calls that the kernel and the host make by their names alone. */
export const namedCalls = {
  load: (_: DescribeFd, cell: Cell<unknown>) => [cell.name],
  store: (_: DescribeFd, cell: Cell<unknown>, value: unknown) => [cell.name, shortValue(value)],
  pidfd_send_signal: (fd: DescribeFd, file: number, signal: number) => [fd(file), signalText(signal)],
}
