/**
 * The numbers of the system calls that simulated programs make, on the architecture of this machine (x64 and arm64, as
 * the constants have them).
 */

const isArm64 = typeof process !== 'undefined' && process.arch === 'arm64'

type Numbers = Readonly<Record<string, readonly [x64: number, arm64: number]>>

/** Both architectures, for a test against the tables of 'tracegate/syscalls'. -1: the architecture has no such call. */
export const syscallNumbers: Numbers = {
  chdir: [80, 49],
  clone: [56, 220],
  close: [3, 57],
  close_range: [436, 436],
  dup: [32, 23],
  dup3: [292, 24],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  epoll_pwait: [281, 22],
  epoll_wait: [232, -1],
  execve: [59, 221],
  exit: [60, 93],
  exit_group: [231, 94],
  fcntl: [72, 25],
  fork: [57, -1],
  futex: [202, 98],
  getppid: [110, 173],
  getsockopt: [55, 209],
  ioctl: [16, 29],
  kill: [62, 129],
  nanosleep: [35, 101],
  open: [2, -1],
  openat: [257, 56],
  pause: [34, -1],
  personality: [135, 92],
  pipe2: [293, 59],
  poll: [7, -1],
  ppoll: [271, 73],
  prctl: [157, 167],
  prlimit64: [302, 261],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  ptrace: [101, 117],
  read: [0, 63],
  recvfrom: [45, 207],
  recvmsg: [47, 212],
  restart_syscall: [219, 128],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_tgsigqueueinfo: [297, 240],
  sched_setaffinity: [203, 122],
  sched_yield: [24, 124],
  sendmsg: [46, 211],
  sendto: [44, 206],
  setpgid: [109, 154],
  setpriority: [141, 140],
  setrlimit: [160, 164],
  setsid: [112, 157],
  setsockopt: [54, 208],
  shutdown: [48, 210],
  socketpair: [53, 199],
  tgkill: [234, 131],
  umask: [95, 166],
  vfork: [58, -1],
  wait4: [61, 260],
  waitid: [247, 95],
  write: [1, 64],
}

/** The number of a call here; -1 if it has none. */
export function syscallNumberOf(name: string): number {
  return syscallNumbers[name]?.[isArm64 ? 1 : 0] ?? -1
}
