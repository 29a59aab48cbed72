/** System's calls on tracees: one method for each ptrace(2) request, and memory access. */

import type { RegisterChanges, Registers } from './registers.ts'
import type { SignalInfo } from './siginfo.ts'
import type { Signal, SignalName } from './signals.ts'
import type { SyscallInfo } from './syscall-info.ts'

export type { SignalInfo } from './siginfo.ts'
export type { SyscallInfo } from './syscall-info.ts'

/** The requests of ptrace(2). ESRCH also means that a tracee is not stopped, or belongs to another thread. */
export interface Tracing {
  /** PTRACE_CONT: lets a stopped tracee run, delivering `signal` if one is given. @see man 2 ptrace */
  ptraceCont(pid: number, signal?: Signal): void
  /** PTRACE_SINGLESTEP: runs one instruction. */
  ptraceStep(pid: number, signal?: Signal): void
  /** PTRACE_SYSCALL: runs to the next system call's entry or exit. */
  ptraceSyscall(pid: number, signal?: Signal): void
  /** PTRACE_DETACH: lets a stopped tracee run untraced. The signal is delivered at signal-delivery stops only. */
  ptraceDetach(pid: number, signal?: Signal): void
  /** PTRACE_SEIZE with PTRACE_O_* options: attaches without stopping. */
  ptraceSeize(pid: number, options: number): void
  /** PTRACE_ATTACH: attaches and stops. */
  ptraceAttach(pid: number): void
  /** PTRACE_INTERRUPT: stops a seized tracee. */
  ptraceInterrupt(pid: number): void
  /** PTRACE_LISTEN: keeps a seized tracee in its group-stop until SIGCONT. */
  ptraceListen(pid: number): void
  /** PTRACE_SETOPTIONS with PTRACE_O_* options. */
  ptraceSetOptions(pid: number, options: number): void
  /**
   * PTRACE_GETEVENTMSG: the new pid of a fork event, the status of an exit event, the former tid of an exec event;
   * PTRACE_EVENTMSG_SYSCALL_ENTRY or _EXIT of a system call stop.
   */
  ptraceGetEventMessage(pid: number): number
  /** PTRACE_GETSIGINFO: the siginfo_t of the current stop. EINVAL at a group-stop. */
  ptraceGetSigInfo(pid: number): SignalInfo
  /**
   * PTRACE_SETSIGINFO with the 128 bytes of a siginfo_t: replaces what the signal being delivered carries.
   *
   * EINVAL at a group-stop. ERR_INVALID_ARG_VALUE for another number of bytes.
   */
  ptraceSetSigInfo(pid: number, siginfo: Uint8Array): void
  /**
   * PTRACE_PEEKSIGINFO: up to `count` pending signals in the order they were sent, beginning at index `offset`, without
   * taking them. Those of the tracee's thread; with PTRACE_PEEKSIGINFO_SHARED in `flags` those of its process.
   */
  ptracePeekSigInfo(pid: number, offset: number, count: number, flags?: number): SignalInfo[]
  /** PTRACE_GETREGSET of NT_PRSTATUS: the general registers; those of a 32-bit tracee have 32 bits on any kernel. */
  ptraceGetRegisters(pid: number): Registers
  /**
   * PTRACE_SETREGSET of NT_PRSTATUS: sets general registers. Those left out keep their values.
   *
   * ERR_INVALID_ARG_VALUE for a name that is not a register of this tracee, and if `pc` and the architecture's own name
   * for it have different values.
   */
  ptraceSetRegisters(pid: number, registers: RegisterChanges): void
  /**
   * PTRACE_GETREGSET of a register set NT_*: its bytes, as many as the kernel has. A 32-bit tracee's sets are those of
   * its own architecture. EINVAL for a set that the machine does not have.
   */
  ptraceGetRegisterSet(tid: number, type: number): Uint8Array
  /**
   * PTRACE_SETREGSET of a register set NT_*. Fewer bytes than the set has change its first part. EINVAL for part of a
   * register.
   */
  ptraceSetRegisterSet(tid: number, type: number, bytes: Uint8Array): void
  /**
   * PTRACE_PEEKUSER: a word of `struct user` at a byte offset, such as a debug register (848 + 8 * n). x64 only.
   *
   * EIO for an offset that is unaligned or outside, and on other machines.
   */
  ptracePeekUser(tid: number, offset: number): bigint
  /**
   * PTRACE_POKEUSER: writes a word of `struct user`. x64 only. EIO as {@link ptracePeekUser}; EINVAL for a refused
   * value.
   */
  ptracePokeUser(tid: number, offset: number, value: bigint): void
  /** PTRACE_GET_SYSCALL_INFO: the system call that the tracee has stopped at. EIO before Linux 5.3. */
  ptraceGetSyscallInfo(tid: number): SyscallInfo
  /** PTRACE_GETSIGMASK: the signals that the tracee blocks. */
  ptraceGetSigMask(pid: number): SignalName[]
  /** PTRACE_SETSIGMASK: replaces the tracee's signal mask. */
  ptraceSetSigMask(pid: number, signals: readonly Signal[]): void
  /**
   * Reads a tracee's memory, even pages without access. `into` is a number of bytes, or a buffer to fill. Returns the
   * bytes read, in that buffer if one was given; fewer if the range leaves the mapping. EFAULT if nothing is mapped.
   *
   * Reusing a buffer saves the kernel clearing new pages, which takes longer than the copy.
   */
  readMemory(pid: number, address: bigint, into: number | Uint8Array): Uint8Array
  /** Writes a tracee's memory, even read-only pages, as PTRACE_POKEDATA can; the number of bytes written. */
  writeMemory(pid: number, address: bigint, data: Uint8Array): number
}
