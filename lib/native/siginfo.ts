/** siginfo_t, decoded. */

import { signalName } from '../system/signals.ts'
import type { SignalInfo } from '../system/system.ts'

export const siginfoBytes = 128

const sigchld = 17
const faults = new Set([4, 5, 7, 8, 11])

/** Decodes a siginfo_t of 64-bit Linux. The signal and si_code select the valid members of its union. */
export function decodeSiginfo(bytes: Uint8Array): SignalInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, siginfoBytes)
  const signal = view.getInt32(0, true)
  const errno = view.getInt32(4, true)
  const code = view.getInt32(8, true)
  const base = { signal: signalName(signal), errno, code }
  const sender = { pid: view.getInt32(16, true), uid: view.getUint32(20, true) }
  // From a process or from ptrace. ptrace's codes have an event in byte 1, or are SIGTRAP | 0x80 at a system call.
  if (code <= 0 || code >= 0x80) return { ...base, ...sender }
  if (signal === sigchld) return { ...base, ...sender, status: view.getInt32(24, true) }
  if (faults.has(signal)) return { ...base, address: view.getBigUint64(16, true) }
  return base
}
