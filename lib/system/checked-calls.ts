/**
 * The arguments of System's calls, checked once for every System: their types, their names in errors, their defaults.
 *
 * A System supplies implementations and gets the public methods. Each method is written out: a loop over argument
 * descriptions would cost a short call more than its system call does.
 */

import {
  checkAddress,
  checkAreaToRead,
  checkBytes,
  checkDeliveredSignal,
  checkInt,
  checkList,
  checkMask,
  checkNotNegative,
  checkSiginfo,
  checkSignal,
  checkSignalOfSet,
} from './arguments.ts'
import type { AllCalls, CallName, Calls, ProcessCallName, TracingCallName } from './calls.ts'
import { checkChildProgram } from './check-child-program.ts'
import { CheckedDescriptorCalls } from './checked-descriptor-calls.ts'
import type { ChildProgram } from './child-program.ts'
import { checkRegisterChanges, type RegisterChanges } from './registers.ts'
import type { Signal } from './signals.ts'

/** System's public methods, over their implementations. */
export class CheckedCalls<Results extends Record<CallName, unknown>> extends CheckedDescriptorCalls<Results> {
  readonly #processes: Calls<Results, ProcessCallName>
  readonly #tracing: Calls<Results, TracingCallName>

  constructor(calls: AllCalls<Results>) {
    super(calls)
    this.#processes = calls.processes
    this.#tracing = calls.tracing
  }

  fork(program: ChildProgram): Results['fork'] {
    return this.#processes.fork(checkChildProgram(program))
  }

  waitpid(pid: number, options = 0): Results['waitpid'] {
    return this.#processes.waitpid(checkInt(pid, 'pid'), checkMask(options, 'options'))
  }

  waitid(idType: number, id: number, options: number): Results['waitid'] {
    return this.#processes.waitid(checkInt(idType, 'idType'), checkInt(id, 'id'), checkMask(options, 'options'))
  }

  kill(pid: number, signal: Signal): Results['kill'] {
    return this.#processes.kill(checkInt(pid, 'pid'), checkSignal(signal))
  }

  tgkill(pid: number, tid: number, signal: Signal): Results['tgkill'] {
    return this.#processes.tgkill(checkInt(pid, 'pid'), checkInt(tid, 'tid'), checkSignal(signal))
  }

  tgsigqueueinfo(pid: number, tid: number, siginfo: Uint8Array): Results['tgsigqueueinfo'] {
    return this.#processes.tgsigqueueinfo(checkInt(pid, 'pid'), checkInt(tid, 'tid'), checkSiginfo(siginfo, 'siginfo'))
  }

  ptraceCont(pid: number, signal?: Signal): Results['ptraceCont'] {
    return this.#tracing.ptraceCont(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceStep(pid: number, signal?: Signal): Results['ptraceStep'] {
    return this.#tracing.ptraceStep(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceSyscall(pid: number, signal?: Signal): Results['ptraceSyscall'] {
    return this.#tracing.ptraceSyscall(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceDetach(pid: number, signal?: Signal): Results['ptraceDetach'] {
    return this.#tracing.ptraceDetach(checkInt(pid, 'pid'), checkDeliveredSignal(signal))
  }

  ptraceSeize(pid: number, options: number): Results['ptraceSeize'] {
    return this.#tracing.ptraceSeize(checkInt(pid, 'pid'), checkMask(options, 'options'))
  }

  ptraceAttach(pid: number): Results['ptraceAttach'] {
    return this.#tracing.ptraceAttach(checkInt(pid, 'pid'))
  }

  ptraceInterrupt(pid: number): Results['ptraceInterrupt'] {
    return this.#tracing.ptraceInterrupt(checkInt(pid, 'pid'))
  }

  ptraceListen(pid: number): Results['ptraceListen'] {
    return this.#tracing.ptraceListen(checkInt(pid, 'pid'))
  }

  ptraceSetOptions(pid: number, options: number): Results['ptraceSetOptions'] {
    return this.#tracing.ptraceSetOptions(checkInt(pid, 'pid'), checkMask(options, 'options'))
  }

  ptraceGetEventMessage(pid: number): Results['ptraceGetEventMessage'] {
    return this.#tracing.ptraceGetEventMessage(checkInt(pid, 'pid'))
  }

  ptraceGetSigInfo(pid: number): Results['ptraceGetSigInfo'] {
    return this.#tracing.ptraceGetSigInfo(checkInt(pid, 'pid'))
  }

  ptraceSetSigInfo(pid: number, siginfo: Uint8Array): Results['ptraceSetSigInfo'] {
    return this.#tracing.ptraceSetSigInfo(checkInt(pid, 'pid'), checkSiginfo(siginfo, 'siginfo'))
  }

  ptracePeekSigInfo(pid: number, offset: number, count: number, flags = 0): Results['ptracePeekSigInfo'] {
    return this.#tracing.ptracePeekSigInfo(
      checkInt(pid, 'pid'),
      checkNotNegative(offset, 'offset'),
      checkNotNegative(count, 'count'),
      checkMask(flags, 'flags'),
    )
  }

  ptraceGetRegisterSet(tid: number, type: number): Results['ptraceGetRegisterSet'] {
    return this.#tracing.ptraceGetRegisterSet(checkInt(tid, 'tid'), checkMask(type, 'type'))
  }

  ptraceSetRegisterSet(tid: number, type: number, bytes: Uint8Array): Results['ptraceSetRegisterSet'] {
    return this.#tracing.ptraceSetRegisterSet(checkInt(tid, 'tid'), checkMask(type, 'type'), checkBytes(bytes, 'bytes'))
  }

  ptracePeekUser(tid: number, offset: number): Results['ptracePeekUser'] {
    return this.#tracing.ptracePeekUser(checkInt(tid, 'tid'), checkInt(offset, 'offset'))
  }

  ptracePokeUser(tid: number, offset: number, value: bigint): Results['ptracePokeUser'] {
    return this.#tracing.ptracePokeUser(checkInt(tid, 'tid'), checkInt(offset, 'offset'), checkAddress(value, 'value'))
  }

  ptraceGetSyscallInfo(tid: number): Results['ptraceGetSyscallInfo'] {
    return this.#tracing.ptraceGetSyscallInfo(checkInt(tid, 'tid'))
  }

  ptraceGetRegisters(pid: number): Results['ptraceGetRegisters'] {
    return this.#tracing.ptraceGetRegisters(checkInt(pid, 'pid'))
  }

  ptraceSetRegisters(pid: number, registers: RegisterChanges): Results['ptraceSetRegisters'] {
    return this.#tracing.ptraceSetRegisters(checkInt(pid, 'pid'), checkRegisterChanges(registers))
  }

  ptraceGetSigMask(pid: number): Results['ptraceGetSigMask'] {
    return this.#tracing.ptraceGetSigMask(checkInt(pid, 'pid'))
  }

  ptraceSetSigMask(pid: number, signals: readonly Signal[]): Results['ptraceSetSigMask'] {
    checkInt(pid, 'pid')
    return this.#tracing.ptraceSetSigMask(
      pid,
      checkList(signals, () => 'signals', checkSignalOfSet),
    )
  }

  readMemory(pid: number, address: bigint, into: number | Uint8Array): Results['readMemory'] {
    return this.#tracing.readMemory(checkInt(pid, 'pid'), checkAddress(address), checkAreaToRead(into, 'into'))
  }

  writeMemory(pid: number, address: bigint, data: Uint8Array): Results['writeMemory'] {
    return this.#tracing.writeMemory(checkInt(pid, 'pid'), checkAddress(address), checkBytes(data, 'data'))
  }
}
