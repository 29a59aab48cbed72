/** ptrace requests and tracee memory, over the addon. */

import type { Calls, SystemResults, TracingCallName } from '../system/calls.ts'
import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import { awaitedHint } from '../system/private-calls.ts'
import { changeRegisters, decodeRegisters, encodeRegisters, mostRegisterBytes } from '../system/registers.ts'
import { decodeSiginfo, siginfoBytes } from '../system/siginfo.ts'
import { signalName } from '../system/signals.ts'
import { decodeSyscallInfo, syscallInfoBytes } from '../system/syscall-info.ts'
import type { SignalInfo } from '../system/system.ts'
import type { Addon } from './addon.ts'
import { enomem, eperm, esrch } from './check-result.ts'
import type { OwnChildren } from './own-children.ts'
import {
  foreignChildHint,
  whoTraces,
  whyMemoryIsGone,
  whyNoMemory,
  whyNoRequest,
  whyNotAttached,
} from './trace-refusal.ts'

const { NT_PRSTATUS, P_PID, WEXITED, WNOHANG, WNOWAIT } = constants

/** Room for most register sets; the largest extended states of x64 and arm64 need more. */
const usualSetBytes = 4096
/** Pending signals that one request reads. */
const peekedAtOnce = 64
/** Beyond what any set has. */
const mostSetBytes = 1 << 24

export function tracingCalls(addon: Addon, children: OwnChildren): Calls<SystemResults, TracingCallName> {
  const message = new Float64Array(1)
  const word = new Uint8Array(8)
  const syscallInfo = new Uint8Array(syscallInfoBytes)

  const resumed = (pid: number, result: number) => {
    children.resumptions++
    traced(pid, result)
  }

  const getRegisters = (pid: number) => {
    const bytes = new Uint8Array(mostRegisterBytes)
    const length = addon.ptraceGetRegisterSet(pid, NT_PRSTATUS, bytes)
    traced(pid, length)
    return decodeRegisters(bytes.subarray(0, length))
  }

  return {
    ptraceCont: (pid, signal) => resumed(pid, addon.ptraceCont(pid, signal)),
    ptraceStep: (pid, signal) => resumed(pid, addon.ptraceStep(pid, signal)),
    ptraceSyscall: (pid, signal) => resumed(pid, addon.ptraceSyscall(pid, signal)),
    ptraceDetach: (pid, signal) => resumed(pid, addon.ptraceDetach(pid, signal)),

    ptraceSeize(pid, options) {
      refuseAwaited(addon, pid, children)
      attached(pid, addon.ptraceSeize(pid, options))
      children.attached.add(pid)
    },

    ptraceAttach(pid) {
      refuseAwaited(addon, pid, children)
      attached(pid, addon.ptraceAttach(pid, 0))
      children.attached.add(pid)
    },

    ptraceInterrupt: pid => traced(pid, addon.ptraceInterrupt(pid, 0)),
    ptraceListen: pid => resumed(pid, addon.ptraceListen(pid, 0)),
    ptraceSetOptions: (pid, options) => traced(pid, addon.ptraceSetOptions(pid, options)),

    ptraceGetEventMessage(pid) {
      traced(pid, addon.ptraceGetEventMessage(pid, message))
      return message[0]!
    },

    ptraceGetSigInfo(pid) {
      const bytes = new Uint8Array(siginfoBytes)
      traced(pid, addon.ptraceGetSigInfo(pid, bytes))
      return decodeSiginfo(bytes)
    },

    ptraceSetSigInfo: (pid, siginfo) => traced(pid, addon.ptraceSetSigInfo(pid, siginfo)),

    ptracePeekSigInfo(pid, offset, count, flags) {
      // A process has no more signals pending than RLIMIT_SIGPENDING allows: room grows with what there is.
      const found: SignalInfo[] = []
      while (found.length < count) {
        const asked = Math.min(count - found.length, peekedAtOnce)
        const bytes = new Uint8Array(asked * siginfoBytes)
        const got = addon.ptracePeekSigInfo(pid, offset + found.length, flags, asked, bytes)
        traced(pid, got)
        for (let i = 0; i < got; i++) {
          found.push(decodeSiginfo(bytes.slice(i * siginfoBytes, (i + 1) * siginfoBytes)))
        }
        if (got < asked) break
      }
      return found
    },

    ptraceGetRegisterSet(tid, type) {
      for (let room = usualSetBytes; ; room *= 4) {
        const bytes = new Uint8Array(room)
        const length = addon.ptraceGetRegisterSet(tid, type, bytes)
        traced(tid, length)
        // A set that fills its room may have been cut.
        if (length < room || room >= mostSetBytes) return bytes.slice(0, length)
      }
    },

    ptraceSetRegisterSet: (tid, type, bytes) => traced(tid, addon.ptraceSetRegisterSet(tid, type, bytes)),

    ptracePeekUser(tid, offset) {
      traced(tid, addon.ptracePeekUser(tid, offset, word))
      return new DataView(word.buffer).getBigUint64(0, true)
    },

    ptracePokeUser: (tid, offset, value) => traced(tid, addon.ptracePokeUser(tid, offset, value)),

    ptraceGetSyscallInfo(tid) {
      traced(tid, addon.ptraceGetSyscallInfo(tid, syscallInfo))
      return decodeSyscallInfo(syscallInfo)
    },

    ptraceGetRegisters: getRegisters,

    ptraceSetRegisters(pid, changes) {
      const changed = changeRegisters(getRegisters(pid), changes)
      traced(pid, addon.ptraceSetRegisterSet(pid, NT_PRSTATUS, encodeRegisters(changed)))
    },

    ptraceGetSigMask(pid) {
      const mask = new Int32Array(2)
      traced(pid, addon.ptraceGetSigMask(pid, mask))
      const isBlocked = (signal: number) => ((mask[(signal - 1) >> 5]! >>> ((signal - 1) & 31)) & 1) !== 0
      return Array.from({ length: 64 }, (_, i) => i + 1)
        .filter(isBlocked)
        .map(signalName)
    },

    ptraceSetSigMask(pid, signals) {
      const mask = [0, 0] as [number, number]
      for (const signal of signals) mask[signal <= 32 ? 0 : 1] |= 1 << ((signal - 1) & 31)
      traced(pid, addon.ptraceSetSigMask(pid, mask[0] >>> 0, mask[1] >>> 0))
    },

    readMemory(pid, address, into) {
      const buffer = typeof into === 'number' ? bufferOf(pid, into) : into
      return buffer.subarray(0, moved(pid, 'process_vm_readv', addon.readMemory(pid, address, buffer)))
    },

    writeMemory: (pid, address, data) => moved(pid, 'process_vm_writev', addon.writeMemory(pid, address, data)),
  }
}

/** Throws if a request failed, with the reason, if it is known. */
function traced(pid: number, result: number): void {
  if (result >= 0) return
  const hint = result === esrch ? whyNoRequest(pid) : undefined
  throw new SystemError({ errno: result, syscall: 'ptrace', pid, hint })
}

/** The bytes moved; throws if the access failed, with the reason, if it is known. */
function moved(pid: number, syscall: string, result: number): number {
  if (result >= 0) return result
  const hint = result === eperm ? whyNoMemory(pid) : result === esrch ? whyMemoryIsGone(pid) : undefined
  throw new SystemError({ errno: result, syscall, pid, hint })
}

/** Throws if an attach failed, with the reason, if it is known. */
export function attached(pid: number, result: number): void {
  if (result >= 0) return
  const hint = result === eperm || result === esrch ? whyNotAttached(pid) : undefined
  throw new SystemError({ errno: result, syscall: 'ptrace', pid, hint })
}

/** Refuses a child that another wait of this process expects: that wait would take its stops for the child's end. */
function refuseAwaited(addon: Addon, pid: number, children: OwnChildren): void {
  const awaitedOrTraced = children.isAwaited(pid) ? (whoTraces(pid) ?? awaitedHint) : undefined
  const isChild = () => addon.waitid(P_PID, pid, WEXITED | WNOHANG | WNOWAIT, new Int32Array(2)) >= 0
  const hint = awaitedOrTraced ?? (children.forked.has(pid) ? undefined : foreignChildHint(pid, isChild))
  if (hint !== undefined) throw new SystemError({ errno: eperm, syscall: 'ptrace', pid, hint })
}

function bufferOf(pid: number, length: number): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch {
    // V8's RangeError carries no errno.
    throw new SystemError({ errno: enomem, syscall: 'process_vm_readv', pid })
  }
}
