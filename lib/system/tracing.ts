/** System's calls on tracees: one method for each ptrace(2) request, and memory access. */

import type { RegisterChanges, Registers } from './registers.ts'
import type { Signal, SignalName } from './signals.ts'

/** siginfo_t as PTRACE_GETSIGINFO returns it. The signal's origin decides which fields are present. */
export interface SignalInfo {
  /** si_signo, by its name. */
  readonly signal: SignalName
  /** si_code: 0 (SI_USER) or negative from a process, positive from the kernel. */
  readonly code: number
  /** si_errno, mostly 0. */
  readonly errno: number
  /** The sender, or the child that a SIGCHLD is about. */
  readonly pid?: number
  /** The real user of that process. */
  readonly uid?: number
  /** SIGCHLD only: the child's exit code or signal. */
  readonly status?: number
  /** Faults only (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP): the address. */
  readonly address?: bigint
}

/** The requests of ptrace(2). ESRCH also means that a tracee is not stopped, or belongs to another thread. */
export interface Tracing {
  /** PTRACE_CONT: lets a stopped tracee run, delivering `signal` if one is given. @see man 2 ptrace */
  ptraceCont(pid: number, signal?: Signal): void
  /** PTRACE_SINGLESTEP. */
  ptraceStep(pid: number, signal?: Signal): void
  /** PTRACE_SYSCALL: runs to the next system call's entry or exit. */
  ptraceSyscall(pid: number, signal?: Signal): void
  /** PTRACE_DETACH. The signal is delivered at signal-delivery stops only. */
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
  /** PTRACE_GETEVENTMSG: the new pid of a fork event, the status of an exit event, the former tid of an exec event. */
  ptraceGetEventMessage(pid: number): number
  /** PTRACE_GETSIGINFO. EINVAL at a group-stop. */
  ptraceGetSigInfo(pid: number): SignalInfo
  /** PTRACE_GETREGSET of NT_PRSTATUS. A 32-bit tracee of a 64-bit kernel has 32-bit registers. */
  ptraceGetRegisters(pid: number): Registers
  /**
   * PTRACE_SETREGSET of NT_PRSTATUS. Registers left out keep their values.
   *
   * ERR_INVALID_ARG_VALUE for a name that is no register of this tracee, and for `pc` and its own name with different
   * values.
   */
  ptraceSetRegisters(pid: number, registers: RegisterChanges): void
  /** PTRACE_GETSIGMASK: the signals that the tracee blocks. */
  ptraceGetSigMask(pid: number): SignalName[]
  /** PTRACE_SETSIGMASK: replaces the tracee's signal mask. */
  ptraceSetSigMask(pid: number, signals: readonly Signal[]): void
  /**
   * Reads a tracee's memory, pages without access included. Returns fewer bytes if the range leaves the mapping.
   * EFAULT if nothing is mapped.
   */
  readMemory(pid: number, address: bigint, length: number): Uint8Array
  /** Writes a tracee's memory, read-only pages included (PTRACE_POKEDATA's power); the bytes written. */
  writeMemory(pid: number, address: bigint, data: Uint8Array): number
}
