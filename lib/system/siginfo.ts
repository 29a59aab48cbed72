/** siginfo_t of 64-bit Linux: decoded, and encoded. */

import { type Architecture, architectureOfAudit } from './architecture.ts'
import { constants } from './constants.ts'
import { type SignalName, signalName, standardSignals } from './signals.ts'

/**
 * siginfo_t, as PTRACE_GETSIGINFO returns it. si_signo and si_code decide which fields are present, by the kernel's own
 * rules.
 */
export interface SignalInfo {
  /** si_signo, by its name. */
  readonly signal: SignalName
  /** si_code: 0 (SI_USER) or negative from a process, positive from the kernel. */
  readonly code: number
  /** si_errno, mostly 0; in a SIGSYS from a seccomp filter, the filter's data. */
  readonly errno: number
  /** The sender, or the child that a SIGCHLD is about; 0 if it is in no pid namespace of the receiver's. */
  readonly pid?: number
  /** The real user of that process. */
  readonly uid?: number
  /**
   * si_value of sigqueue(3), a POSIX timer or a message queue: the 64 bits of sival_ptr, unsigned. sival_int is
   * `Number(BigInt.asIntN(32, value))`.
   */
  readonly value?: bigint
  /** SIGCHLD only: the child's exit code or signal. */
  readonly status?: number
  /** Faults only (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP): the address. */
  readonly address?: bigint
  /** SI_TIMER only: the kernel's id of the timer. */
  readonly timerId?: number
  /** SI_TIMER only: the expirations that this signal stands for, besides its own. */
  readonly overrun?: number
  /** SIGIO only: the poll(2) events. */
  readonly band?: number
  /** SIGIO only: the descriptor. */
  readonly fd?: number
  /** SIGSYS only: the address behind the system call instruction. */
  readonly callAddress?: bigint
  /** SIGSYS only: the number of the system call. */
  readonly syscall?: number
  /** SIGSYS only: the architecture of the system call. */
  readonly architecture?: Architecture
  /** All 128 bytes of siginfo_t; tgsigqueueinfo and ptraceSetSigInfo take them. */
  readonly bytes: Uint8Array
}

/** sizeof(siginfo_t). */
export const siginfoBytes = 128

const { SI_KERNEL, SI_SIGIO, SI_TIMER } = constants

const { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGCHLD, SIGIO, SIGSYS } = standardSignals

/** The highest si_code with a meaning of its own, by the signals that have such codes; the kernel's sig_sicodes. */
const ownCodes: ReadonlyMap<number, number> = new Map([
  [SIGILL, 11],
  [SIGTRAP, 6],
  [SIGBUS, 5],
  [SIGFPE, 15],
  [SIGSEGV, 10],
  [SIGCHLD, 6],
  [SIGIO, 6],
  [SIGSYS, 2],
])

/** Which member of siginfo_t's union is valid. */
type Layout = 'kill' | 'queue' | 'timer' | 'child' | 'fault' | 'poll' | 'call'

/** The kernel's siginfo_layout(). */
function layoutOf(signal: number, code: number): Layout {
  if (code > 0 && code < SI_KERNEL) {
    if (code <= (ownCodes.get(signal) ?? 0)) {
      return signal === SIGCHLD ? 'child' : signal === SIGIO ? 'poll' : signal === SIGSYS ? 'call' : 'fault'
    }
    return code <= ownCodes.get(SIGIO)! ? 'poll' : 'kill'
  }
  // From a process or from ptrace, whose codes have an event in byte 1, or are SIGTRAP | 0x80 at a system call.
  return code === SI_TIMER ? 'timer' : code === SI_SIGIO ? 'poll' : code < 0 ? 'queue' : 'kill'
}

/** Whether the kernel knows the members of such a siginfo. If not, all bytes beyond the first 48 must be 0 (E2BIG). */
export function hasKnownLayout(signal: number, code: number): boolean {
  if (code === SI_KERNEL) return true
  if (code > 0) return code <= Math.max(ownCodes.get(signal) ?? 0, ownCodes.get(SIGIO)!)
  return code >= constants.SI_DETHREAD || code === constants.SI_ASYNCNL
}

/** Decodes a siginfo_t. Total: any 128 bytes decode. */
export function decodeSiginfo(bytes: Uint8Array): SignalInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, siginfoBytes)
  const number = view.getInt32(0, true)
  const code = view.getInt32(8, true)
  const base = { signal: signalName(number), errno: view.getInt32(4, true), code, bytes }
  const sender = { pid: view.getInt32(16, true), uid: view.getUint32(20, true) }
  switch (layoutOf(number, code)) {
    case 'kill':
      return { ...base, ...sender }
    case 'queue':
      return { ...base, ...sender, value: view.getBigUint64(24, true) }
    case 'timer':
      return { ...base, timerId: sender.pid, overrun: view.getInt32(20, true), value: view.getBigUint64(24, true) }
    case 'child':
      return { ...base, ...sender, status: view.getInt32(24, true) }
    case 'fault':
      return { ...base, address: view.getBigUint64(16, true) }
    case 'poll':
      return { ...base, band: Number(view.getBigInt64(16, true)), fd: view.getInt32(24, true) }
    case 'call': {
      const architecture = architectureOfAudit(view.getUint32(28, true))
      const call = { callAddress: view.getBigUint64(16, true), syscall: view.getInt32(24, true) }
      return { ...base, ...call, ...(architecture !== undefined && { architecture }) }
    }
  }
}

/** The members that an encoded siginfo_t has. */
export interface SiginfoFields {
  readonly signal: number
  readonly code: number
  readonly pid?: number | undefined
  readonly uid?: number | undefined
  readonly status?: number | undefined
  readonly value?: bigint | undefined
  readonly address?: bigint | undefined
}

/** Encodes a siginfo_t. Members that its code does not select are left out. */
export function encodeSiginfo({ signal, code, pid = 0, uid = 0, ...rest }: SiginfoFields): Uint8Array {
  const bytes = new Uint8Array(siginfoBytes)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, signal, true)
  view.setInt32(8, code, true)
  const layout = layoutOf(signal, code)
  if (layout === 'fault') {
    view.setBigUint64(16, rest.address ?? 0n, true)
    return bytes
  }
  view.setInt32(16, pid, true)
  view.setUint32(20, uid, true)
  if (layout === 'child') view.setInt32(24, rest.status ?? 0, true)
  else if (layout === 'queue') view.setBigUint64(24, rest.value ?? 0n, true)
  return bytes
}
