/** The options of launch(): their type, and the check of each by name. */

import { checkAbortSignal, checkBoolean, checkOptions, checkString, checkTimeout } from '../../system/arguments.ts'
import { checkSystem } from '../../system/check-system.ts'
import type { NamespaceName } from '../../system/namespaces.ts'
import type { ResourceName } from '../../system/resources.ts'
import { type Signal, standardSignals } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import type { Child } from '../handles/child.ts'
import type { ReadyConvention } from '../readiness/notifications.ts'
import { checkStdio, type StdioOptions, type StreamWithFd } from '../stdio/stdio-entries.ts'
import type { Follow } from '../tracing/tasks/options.ts'
import { readEnvironment } from './environment.ts'
import {
  type Check,
  checkAffinity,
  checkDirectory,
  checkFilter,
  checkGroups,
  checkHook,
  checkIdMap,
  checkLimits,
  checkNamespaces,
  checkNumber,
  checkOneOf,
  checkOneSignal,
  checkPath,
  checkSignals,
  checkTerminal,
  checkTracer,
  mostId,
} from './option-checks.ts'

/** A resource limit: one value for both limits, or [soft, hard]. Infinity and 'unlimited' are RLIM_INFINITY. */
export type ResourceLimit = ResourceValue | readonly [soft: ResourceValue, hard: ResourceValue]

type ResourceValue = number | 'unlimited'

/** Resource limits by name; the others are inherited. */
export type ResourceLimits = { readonly [Name in ResourceName]?: ResourceLimit | undefined }

/** A range of ids that a user namespace maps: its first id inside, its first id outside, and its length. */
export type IdRange = readonly [inside: number, outside: number, count: number]

/**
 * How the child is traced: 'traceme' by its own PTRACE_TRACEME, 'seize' by PTRACE_SEIZE, false not at all. PTRACE_SEIZE
 * gives interrupt() and group stops without side effects.
 */
export type TraceMode = 'traceme' | 'seize' | false

/** Options of launch(). An option that is not listed here is refused by name. */
export interface LaunchOptions {
  /** Where to launch; openSystem() by default. */
  readonly system?: System | undefined
  /** The child's working directory: a path, or a file: URL. */
  readonly cwd?: string | URL | undefined
  /**
   * The child's environment; by default process.env as of the call. As in child_process, undefined values are left out.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** argv[0]; the file by default. */
  readonly argv0?: string | undefined
  /** The child's descriptors, as child_process has them; 'pipe' by default. */
  readonly stdio?: StdioOptions | undefined
  /** 'traceme' by default; 'seize' where `follow` is not false, or 'traceme' if the kernel refuses that. */
  readonly trace?: TraceMode | undefined
  /**
   * Which stops are shown besides the main thread's: those of its threads ('threads'), or also those of the processes
   * that it starts, and theirs ('all'). False by default. Threads are always traced.
   */
  readonly follow?: Follow | undefined
  /** Whether a traced child is killed when its tracer ends; true by default. */
  readonly exitKill?: boolean | undefined
  /**
   * Runs while the child waits at the gate: its pid is known, nothing of the program is loaded. A throw aborts the
   * launch.
   */
  readonly beforeExec?: ((child: Child) => void | Promise<void>) | undefined
  /**
   * Limit for the launch, in milliseconds; it does not limit the child's life. None when left out, negative or
   * Infinity.
   */
  readonly timeoutMs?: number | undefined
  /** Aborts the launch; it does not end a launched child. */
  readonly signal?: AbortSignal | undefined
  /** Whether the child makes a session of its own: setsid(2). */
  readonly detached?: boolean | undefined
  /** The child's process group: setpgid(2). 0: one of its own. This process's by default. */
  readonly processGroup?: number | undefined
  /**
   * A terminal, by its descriptor here, that becomes the controlling terminal of a session of the child's own:
   * setsid(2) and TIOCSCTTY. The child gets the descriptor only if `stdio` names it, too.
   */
  readonly controllingTerminal?: number | StreamWithFd | undefined
  /**
   * Whether the child's process group becomes the foreground group of its controlling terminal: TIOCSPGRP. The child
   * gets a group of its own, unless another option sets it. This process's group gets the terminal back when the child
   * stops or ends.
   */
  readonly foreground?: boolean | undefined
  /** The file mode creation mask, as a number: 0o077. This process's by default: umask(2). */
  readonly umask?: number | undefined
  /** Resource limits by setrlimit(2)'s names in lower case: `{ nofile: 64, core: [0, Infinity] }`. */
  readonly rlimits?: ResourceLimits | undefined
  /** The nice value, -20 to 19: setpriority(2). */
  readonly nice?: number | undefined
  /** How readily the kernel kills the child when memory is short, -1000 to 1000: /proc/PID/oom_score_adj. */
  readonly oomScoreAdj?: number | undefined
  /** The CPUs that the child may run on, by number: sched_setaffinity(2). */
  readonly affinity?: readonly number[] | undefined
  /**
   * Whether the child's memory layout is random: personality(2) ADDR_NO_RANDOMIZE. If false is refused, as in some
   * containers, the layout stays random, with the warning TRACEGATE_ASLR_REFUSED.
   */
  readonly aslr?: boolean | undefined
  /** The user id, as in child_process: setresuid(2). Supplementary groups are dropped, unless `groups` is given. */
  readonly uid?: number | undefined
  /** The group id, as in child_process: setresgid(2). Supplementary groups are dropped, unless `groups` is given. */
  readonly gid?: number | undefined
  /** The supplementary groups: setgroups(2). */
  readonly groups?: readonly number[] | undefined
  /** Whether execs can no longer gain privileges: PR_SET_NO_NEW_PRIVS. */
  readonly noNewPrivileges?: boolean | undefined
  /**
   * A seccomp filter, the bytes of an array of struct sock_filter, installed last: the execve is the only call of the
   * launch that it sees. Without CAP_SYS_ADMIN it needs `noNewPrivileges`.
   */
  readonly seccomp?: Uint8Array | undefined
  /**
   * The signal that the program gets when the thread that launched it ends: PR_SET_PDEATHSIG. The exec of a set-user-ID
   * program clears it.
   */
  readonly parentDeathSignal?: Signal | undefined
  /**
   * The process that may attach to the program under Yama, as may its descendants; or 'any': PR_SET_PTRACER. Without
   * Yama it does nothing.
   */
  readonly tracer?: number | 'any' | undefined
  /** The folder of a cgroup to start in: CLONE_INTO_CGROUP, or a write to its cgroup.procs. */
  readonly cgroup?: string | undefined
  /**
   * New namespaces: clone(2) for 'user' and 'pid', unshare(2) for the others. Mounts made in a new 'mnt' namespace are
   * not seen outside.
   */
  readonly namespaces?: readonly NamespaceName[] | undefined
  /** /proc/PID/uid_map of a new 'user' namespace: lines of [inside, outside, count]. None by default. */
  readonly uidMap?: readonly IdRange[] | undefined
  /** /proc/PID/gid_map of a new 'user' namespace; if the kernel demands it, setgroups(2) is denied in it first. */
  readonly gidMap?: readonly IdRange[] | undefined
  /** The root directory: chroot(2). `cwd`, '/' by default, and the program are looked up inside. */
  readonly chroot?: string | undefined
  /** The signals that the program starts with blocked; none by default, whatever this process blocks. */
  readonly signalMask?: readonly Signal[] | undefined
  /**
   * The signals that the program starts with ignored, as nohup(1) ignores SIGHUP. None by default, whatever this
   * process ignores.
   */
  readonly ignoreSignals?: readonly Signal[] | undefined
  /**
   * How the program says that it is ready, for `child.ready`. 'notification-fd' is s6's way: a newline on the
   * descriptor that the environment variable NOTIFICATION_FD names, the first beyond those of `stdio`. 'sd_notify' is
   * systemd's: READY=1 to the socket that NOTIFY_SOCKET names, sd_notify(3).
   */
  readonly ready?: ReadyConvention | undefined
  /**
   * How the child gets its memory. 'shared' uses the parent's memory until exec, at any size; 'copied' is a plain fork;
   * 'auto' (the default) picks: copied for `uid`, `gid` and `oomScoreAdj`, which would change the parent's memory.
   */
  readonly memory?: 'shared' | 'copied' | 'auto' | undefined
}

/** The check of each option. It returns the value to use. */
const checks = {
  system: checkSystem,
  cwd: checkDirectory,
  env: readEnvironment,
  argv0: checkString,
  stdio: checkStdio,
  trace: checkOneOf('traceme', 'seize', false),
  follow: checkOneOf('threads', 'all', false),
  exitKill: checkBoolean,
  beforeExec: checkHook,
  timeoutMs: checkTimeout,
  signal: checkAbortSignal,
  detached: checkBoolean,
  processGroup: checkNumber(0, 0x7fffffff),
  controllingTerminal: checkTerminal,
  foreground: checkBoolean,
  umask: checkNumber(0, 0o777),
  rlimits: checkLimits,
  nice: checkNumber(-20, 19),
  oomScoreAdj: checkNumber(-1000, 1000),
  affinity: checkAffinity,
  aslr: checkBoolean,
  uid: checkNumber(0, mostId),
  gid: checkNumber(0, mostId),
  groups: checkGroups,
  noNewPrivileges: checkBoolean,
  seccomp: checkFilter,
  parentDeathSignal: checkOneSignal,
  tracer: checkTracer,
  cgroup: checkPath,
  namespaces: checkNamespaces,
  uidMap: checkIdMap,
  gidMap: checkIdMap,
  chroot: checkPath,
  signalMask: checkSignals(),
  ignoreSignals: checkSignals(standardSignals.SIGKILL, standardSignals.SIGSTOP),
  ready: checkOneOf('notification-fd', 'sd_notify'),
  memory: checkOneOf('shared', 'copied', 'auto'),
} satisfies { readonly [Name in keyof LaunchOptions]-?: Check<unknown> }

type OptionName = keyof typeof checks

const optionNames = Object.keys(checks) as OptionName[]

/** The given options, as their checks returned them. */
export type CheckedOptions = { readonly [Name in OptionName]?: ReturnType<(typeof checks)[Name]> }

/** Refuses a wrong type, a value that the option does not allow, and an unknown option. Each option is read once. */
export function checkLaunchOptions(value: unknown): CheckedOptions {
  return checkOptions(value, 'options', optionNames, checkOption) as CheckedOptions
}

function checkOption(name: OptionName, value: unknown): unknown {
  return checks[name](value, `options.${name}`)
}
