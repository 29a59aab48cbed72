/** Tests of tracing, on children of this process, which are gone afterwards. */

import { withChild } from '../launch/children/with-child.ts'
import { tryDebugRegisters } from '../launch/tracing/memory/debug-register-probe.ts'
import type { Addon } from '../native/addon.ts'
import { childReportBytes, decodeChildReport } from '../system/child-program.ts'
import { constants } from '../system/constants.ts'
import { describeErrno } from '../system/errno.ts'
import { SystemError } from '../system/errors.ts'
import type { System } from '../system/system.ts'
import { cures } from './cures.ts'
import type { Fact, FactStatus } from './fact.ts'

const { O_CLOEXEC, PTRACE_O_EXITKILL } = constants

const refusedCure =
  'a seccomp filter or a security module refuses it; in a container: --cap-add=SYS_PTRACE, or --security-opt seccomp=unconfined'

const ptraceCures: Readonly<Record<string, string>> = {
  ...cures,
  ENOSYS:
    'an emulator has no ptrace; or a seccomp filter refuses it, in a container: --security-opt seccomp=unconfined',
}

/** Tests PTRACE_TRACEME: a child requests tracing, stops, and is continued to its end. */
export function tracemeFact(system: System): Fact {
  return tried('traceme', 'fail', 'PTRACE_TRACEME: a child was traced and stopped', () => {
    const [failures, report] = system.pipe2(O_CLOEXEC)
    try {
      const actions = [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 0 }] as const
      withChild(system, { actions, report }, child => {
        if (child.wait().kind !== 'stopped') throw failureOf(system, failures)
        system.ptraceSetOptions(child.pid, PTRACE_O_EXITKILL)
        system.ptraceCont(child.pid)
      })
    } finally {
      system.close(failures)
      system.close(report)
    }
  })
}

/** Tests PTRACE_SEIZE: a waiting child is seized and interrupted. Only launches that request it need it. */
export function seizeFact(system: System): Fact {
  return tried('seize', 'warn', 'PTRACE_SEIZE: a child was seized', () => {
    const [gate, hold] = system.pipe2(O_CLOEXEC)
    try {
      withChild(system, { actions: [{ op: 'read', fd: gate, bytes: 1 }] }, ({ pid }) => {
        system.ptraceSeize(pid, PTRACE_O_EXITKILL)
        // Fails unless the child is really traced.
        system.ptraceInterrupt(pid)
      })
    } finally {
      system.close(gate)
      system.close(hold)
    }
  })
}

/** The reason why a child ended before its stop. */
function failureOf(system: System, failures: number): SystemError | Error {
  const record = new Uint8Array(childReportBytes)
  const readable = system.bytesReadable(failures) >= childReportBytes
  const failure = readable ? decodeChildReport(record.subarray(0, system.read(failures, record))) : undefined
  if (failure === undefined) return new Error('the child ended before it stopped')
  return new SystemError({ errno: -failure.errno, syscall: 'ptrace', step: 'traceme' })
}

/** Tests the debug registers. Only watch() needs them. */
export function debugRegistersFact(system: System): Fact {
  const name = 'debug registers'
  let fire = true
  const fact = tried(name, 'warn', 'they fire: watch() works', () => {
    fire = tryDebugRegisters(system)
  })
  if (fire) return fact
  return {
    name,
    status: 'warn',
    detail:
      'their settings are accepted, and they never fire: watch() is refused; hardware watchpoints of gdb are not hit',
    cure: 'a machine or a hypervisor that has them; breakpoint() needs none',
  }
}

/** Tests clone(CLONE_VM). Without it every launch copies the parent's page tables, as fork does. */
export function sharedMemoryFact(addon: Addon): Fact {
  const name = 'shared memory'
  const result = addon.trySharedMemory()
  if (result === 0)
    return { name, status: 'ok', detail: 'clone(CLONE_VM): a launch takes as long however large the heap is' }
  const failure = `clone(CLONE_VM) fails with ${errnoText(result)}`
  const cure = cures[describeErrno(-result).code]
  if (cure !== undefined) return { name, status: 'warn', detail: failure, cure }
  return {
    name,
    status: 'warn',
    detail: `${failure}: launches fork, which takes longer the larger the heap is`,
    cure: 'an emulator or a seccomp filter refuses it; run it without',
  }
}

/** Tests pidfd_open. */
export function pidfdFact(addon: Addon): Fact {
  const result = addon.tryPidfd()
  if (result === 0) return { name: 'pidfd', status: 'ok', detail: 'pidfd_open works' }
  return {
    name: 'pidfd',
    status: 'warn',
    detail: `pidfd_open fails with ${errnoText(result)}: launch() needs none, other tools may`,
    cure: 'Linux 5.3 or later, and no seccomp filter that refuses it',
  }
}

function tried(name: string, failed: FactStatus, works: string, attempt: () => void): Fact {
  try {
    attempt()
    return { name, status: 'ok', detail: works }
  } catch (error) {
    const code = error instanceof SystemError ? error.code : ''
    return { name, status: failed, detail: (error as Error).message, cure: ptraceCures[code] ?? refusedCure }
  }
}

function errnoText(result: number): string {
  const { code, message } = describeErrno(-result)
  return `${code} (${message})`
}
