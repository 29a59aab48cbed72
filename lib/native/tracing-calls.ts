/** ptrace requests and tracee memory, over the addon. */

import type { CallName, Calls, SystemResults } from '../system/checked-calls.ts'
import { SystemError } from '../system/errors.ts'
import { awaitedHint } from '../system/private-calls.ts'
import { changeRegisters, decodeRegisters, encodeRegisters, mostRegisterBytes } from '../system/registers.ts'
import { signalName } from '../system/signals.ts'
import type { Tracing } from '../system/system.ts'
import type { Addon } from './addon.ts'
import { checkOf, enomem, eperm, esrch } from './check-result.ts'
import type { OwnChildren } from './own-children.ts'
import { decodeSiginfo, siginfoBytes } from './siginfo.ts'
import { foreignChildHint, whyNoRequest, whyNotAttached } from './trace-refusal.ts'

/** The names of the calls on tracees. */
export type TracingCallName = Extract<CallName, keyof Tracing>

export function tracingCalls(addon: Addon, children: OwnChildren): Calls<SystemResults, TracingCallName> {
  const message = new Float64Array(1)

  const getRegisters = (pid: number) => {
    const bytes = new Uint8Array(mostRegisterBytes)
    const length = addon.ptraceGetRegisters(pid, bytes)
    traced(pid, length)
    return decodeRegisters(bytes.subarray(0, length))
  }

  return {
    ptraceCont: (pid, signal) => traced(pid, addon.ptraceCont(pid, signal)),
    ptraceStep: (pid, signal) => traced(pid, addon.ptraceStep(pid, signal)),
    ptraceSyscall: (pid, signal) => traced(pid, addon.ptraceSyscall(pid, signal)),
    ptraceDetach: (pid, signal) => traced(pid, addon.ptraceDetach(pid, signal)),

    ptraceSeize(pid, options) {
      refuseAwaited(pid, children)
      attached(pid, addon.ptraceSeize(pid, options))
    },

    ptraceAttach(pid) {
      refuseAwaited(pid, children)
      attached(pid, addon.ptraceAttach(pid, 0))
    },

    ptraceInterrupt: pid => traced(pid, addon.ptraceInterrupt(pid, 0)),
    ptraceListen: pid => traced(pid, addon.ptraceListen(pid, 0)),
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

    ptraceGetRegisters: getRegisters,

    ptraceSetRegisters(pid, changes) {
      const changed = changeRegisters(getRegisters(pid), changes)
      traced(pid, addon.ptraceSetRegisters(pid, encodeRegisters(changed)))
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

    readMemory(pid, address, length) {
      const buffer = bufferOf(pid, length)
      return buffer.subarray(0, checkOf(pid, 'process_vm_readv', addon.readMemory(pid, address, buffer)))
    },

    writeMemory: (pid, address, data) => checkOf(pid, 'process_vm_writev', addon.writeMemory(pid, address, data)),
  }
}

/** Throws if a request failed, with the reason, if it is known. */
function traced(pid: number, result: number): void {
  if (result >= 0) return
  const hint = result === esrch ? whyNoRequest(pid) : undefined
  throw new SystemError({ errno: result, syscall: 'ptrace', pid, hint })
}

/** Throws if an attach failed, with the reason, if it is known. */
export function attached(pid: number, result: number): void {
  if (result >= 0) return
  const hint = result === eperm || result === esrch ? whyNotAttached(pid) : undefined
  throw new SystemError({ errno: result, syscall: 'ptrace', pid, hint })
}

/** Refuses a child that another wait of this process expects: that wait would take its stops for the child's end. */
function refuseAwaited(pid: number, { awaited, forked }: OwnChildren): void {
  const hint = awaited.has(pid) ? awaitedHint : forked.has(pid) ? undefined : foreignChildHint(pid)
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
