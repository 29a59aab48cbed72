/** The calls that the interpreter of child programs makes, by their names in C, with the arguments that probes see. */

import type { Action } from '../processes/task.ts'

export interface ChildCalls {
  ptrace: []
  read: [fd: number]
  write: [fd: number, data: Uint8Array]
  close: [fd: number]
  close_range: [except: readonly number[]]
  dup3: [fd: number, target: number]
  fcntl: [fd: number, command: number, argument: number]
  ppoll: [fd: number, events: number]
  openat: [path: string, flags: number]
  chdir: [path: string]
  execve: [path: string, argv: readonly string[]]
  exit_group: [code: number]
  getppid: []
  setsid: []
  setpgid: [group: number]
  prctl: [request: 'PDEATHSIG' | 'PTRACER' | 'NO_NEW_PRIVS', value?: number]
  tgkill: [signal: number]
  rt_sigaction: [signal: number]
  rt_sigprocmask: []
  umask: [mask: number]
  prlimit64: [resource: string, soft: number]
  setpriority: [nice: number]
  sched_setaffinity: [cpus: readonly number[]]
  personality: [isOn: boolean]
}

/** A call with its effect on the calling task. */
export type ChildCall = {
  [Name in keyof ChildCalls]: readonly [name: Name, args: ChildCalls[Name], act: Action]
}[keyof ChildCalls]
