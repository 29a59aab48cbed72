/**
 * The child program: what a forked child does until it execs or exits, as data.
 *
 * JavaScript cannot run after fork. The parent flattens the list to native memory before the fork. A small interpreter
 * in the child runs it with raw system calls only. The simulated kernel interprets the same list.
 */

import { checkBytes } from './arguments.ts'
import type { NamespaceName } from './namespaces.ts'
import type { ResourceName } from './resources.ts'
import type { Signal } from './signals.ts'

/**
 * One action of a child.
 *
 * - `traceme`: PTRACE_TRACEME: the parent becomes the tracer.
 * - `write`: writes all of `data` to a descriptor.
 * - `read`: reads exactly `bytes` bytes and discards them. At end of file it exits with 126.
 * - `open`: opens `path` as descriptor `target`. `mode` is that of open(2), by default 0o666.
 * - `dup2`: makes `target` the same open file description as `fd`, kept across exec. With `fd === target` it clears
 *   close-on-exec.
 * - `setBlocking`: clears O_NONBLOCK of a descriptor's open file description, which other processes may share.
 * - `close`: closes a descriptor.
 * - `closeAllExcept`: closes every descriptor that is not listed, immediately and not at exec.
 * - `chdir`, `setsid`: the calls of those names.
 * - `parentDeathSignal`: PR_SET_PDEATHSIG, bound to the launching thread; 0 clears it. Exits with 126 if the parent is
 *   already gone. In a pid namespace getppid(2) is always 0: there `parent`, a pidfd of the parent, is polled instead.
 * - `processGroup`: setpgid(2) of itself. 0: a group of its own.
 * - `controllingTerminal`: TIOCSCTTY of a terminal that no other session has. It needs a `setsid` before.
 * - `foreground`: TIOCSPGRP: its process group becomes the foreground group of its controlling terminal.
 * - `cgroup`: joins the cgroup of that folder. fork() tries CLONE_INTO_CGROUP first.
 * - `umask`, `nice`, `affinity`: umask(2), setpriority(2), sched_setaffinity(2).
 * - `rlimits`: prlimit(2) of one resource. Infinity is RLIM_INFINITY.
 * - `oomScoreAdj`: writes /proc/self/oom_score_adj, which belongs to the memory: never in shared memory.
 * - `aslr`: personality(2) ADDR_NO_RANDOMIZE, set where `on` is false and cleared where it is true.
 * - `namespaces`: unshare(2). The mounts of a new mount namespace become slaves: mounts made in it stay inside.
 * - `chroot`: chroot(2), and chdir to the new root.
 * - `groups`: setgroups(2). `optional`: EPERM is ignored.
 * - `gid`, `uid`: setresgid(2), setresuid(2) of all three ids. They would make shared memory undumpable: only in copied
 *   memory.
 * - `tracer`: PR_SET_PTRACER: the process of that pid and its descendants may attach; -1: any. Does nothing without
 *   Yama.
 * - `noNewPrivileges`: PR_SET_NO_NEW_PRIVS.
 * - `seccomp`: sets the mask of `signalMask`, then PR_SET_SECCOMP: an array of struct sock_filter. Everything after it
 *   is filtered, the execve too.
 * - `raise`: sends the signal to the child itself.
 * - `ignoreSignals`: sets each signal's action to SIG_IGN, which the program inherits.
 * - `signalMask`: the signals that the program starts with blocked. `execve` blocks them and unblocks all others.
 * - `exit`: ends the child with that code. A list that runs out exits with 0.
 * - `execve`: sets the mask of `signalMask`, then tries the candidates in turn as execvp(3) does. It continues after
 *   ENOENT, ENOTDIR, ESTALE, ENODEV and ETIMEDOUT. It also continues after EACCES, which is the error if no candidate
 *   succeeds. /bin/sh runs a script without `#!` (ENOEXEC). ETXTBSY is retried for a bounded time. `env` entries read
 *   'KEY=value'.
 */
export type ChildAction =
  | { readonly op: 'traceme' }
  | { readonly op: 'write'; readonly fd: number; readonly data: Uint8Array }
  | { readonly op: 'read'; readonly fd: number; readonly bytes: number }
  | {
      readonly op: 'open'
      readonly path: string
      readonly flags: number
      readonly mode?: number
      readonly target: number
    }
  | { readonly op: 'dup2'; readonly fd: number; readonly target: number }
  | { readonly op: 'setBlocking'; readonly fd: number }
  | { readonly op: 'close'; readonly fd: number }
  | { readonly op: 'closeAllExcept'; readonly fds: readonly number[] }
  | { readonly op: 'chdir'; readonly path: string }
  | { readonly op: 'setsid' }
  | { readonly op: 'parentDeathSignal'; readonly signal: Signal | 0; readonly parent?: number }
  | { readonly op: 'processGroup'; readonly group: number }
  | { readonly op: 'controllingTerminal'; readonly fd: number }
  | { readonly op: 'foreground' }
  | { readonly op: 'cgroup'; readonly path: string }
  | { readonly op: 'umask'; readonly mask: number }
  | { readonly op: 'rlimits'; readonly resource: ResourceName; readonly soft: number; readonly hard: number }
  | { readonly op: 'nice'; readonly nice: number }
  | { readonly op: 'oomScoreAdj'; readonly score: number }
  | { readonly op: 'affinity'; readonly cpus: readonly number[] }
  | { readonly op: 'aslr'; readonly on: boolean }
  | { readonly op: 'namespaces'; readonly namespaces: readonly NamespaceName[] }
  | { readonly op: 'chroot'; readonly path: string }
  | { readonly op: 'groups'; readonly groups: readonly number[]; readonly optional?: boolean }
  | { readonly op: 'gid'; readonly gid: number }
  | { readonly op: 'uid'; readonly uid: number }
  | { readonly op: 'tracer'; readonly pid: number }
  | { readonly op: 'noNewPrivileges' }
  | { readonly op: 'seccomp'; readonly filter: Uint8Array }
  | { readonly op: 'raise'; readonly signal: Signal }
  | { readonly op: 'ignoreSignals'; readonly signals: readonly Signal[] }
  | { readonly op: 'signalMask'; readonly signals: readonly Signal[] }
  | { readonly op: 'exit'; readonly code: number }
  | {
      readonly op: 'execve'
      readonly files: readonly string[]
      readonly argv: readonly string[]
      readonly env: readonly string[]
    }

/** The name of an action. A launch's error names the failed step by it. */
export type ChildOp = ChildAction['op']

/**
 * A program for a child. Every signal starts at its default action.
 *
 * Until exec the child blocks SIGPIPE, so that a failed write returns its errno. It also blocks the signals that dump
 * core: before Linux 5.16 a dump of shared memory kills the parent, too. All other signals take effect at once.
 *
 * The first action that fails writes one record to the descriptor `report`, if given: two native 32-bit integers, the
 * action's index and its errno. The child then exits with 127. See {@link decodeChildReport}.
 */
export interface ChildProgram {
  /** The actions, in order. */
  readonly actions: readonly ChildAction[]
  /** The descriptor that receives the record of a failed action. */
  readonly report?: number
  /**
   * 'shared' (the default): the child runs in the parent's memory until it execs or exits, however large that is.
   * 'copied': a plain fork.
   */
  readonly memory?: 'shared' | 'copied'
  /** The namespaces that clone(2) makes with the child. A 'pid' namespace can only be made so. None by default. */
  readonly namespaces?: readonly NamespaceName[]
}

/** The size of a failure record in bytes. */
export const childReportBytes = 8

/** The record of a failed action. */
export interface ChildReport {
  /** The index of the action that failed. */
  readonly action: number
  /** Its positive errno. */
  readonly errno: number
}

/** Decodes a failure record; undefined if there are too few bytes. */
export function decodeChildReport(bytes: Uint8Array): ChildReport | undefined {
  checkBytes(bytes, 'bytes')
  if (bytes.length < childReportBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, childReportBytes)
  return { action: view.getInt32(0, true), errno: view.getInt32(4, true) }
}

/** Encodes a failure record. */
export function encodeChildReport(report: ChildReport): Uint8Array {
  const bytes = new Uint8Array(childReportBytes)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, report.action, true)
  view.setInt32(4, report.errno, true)
  return bytes
}
