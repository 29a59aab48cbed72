/** Whether tracing works: tried on children of our own, which are gone when it was. */

import type { Addon } from '../native/addon.ts'
import { constants } from '../system/constants.ts'
import { describeErrno } from '../system/errno.ts'
import { SystemError } from '../system/errors.ts'
import type { System } from '../system/system.ts'
import type { Fact } from './fact.ts'

const { O_CLOEXEC, PTRACE_O_EXITKILL, __WALL } = constants

const refusedCure =
  'a seccomp filter or a security module refuses it; in a container: --cap-add=SYS_PTRACE, or --security-opt seccomp=unconfined'

/** PTRACE_TRACEME, tried: a child asks to be traced, stops, and is let go. */
export function tracemeFact(system: System): Fact {
  return tried('traceme', 'PTRACE_TRACEME: a child of ours was traced and stopped', () => {
    const pid = system.fork({
      actions: [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, { op: 'exit', code: 0 }],
    })
    const { status } = system.waitpid(pid, __WALL)!
    // Refused, the child ends with what a failed action ends with.
    if (status.kind !== 'stopped') return 'the child was refused PTRACE_TRACEME'
    system.ptraceCont(pid)
    system.waitpid(pid, __WALL)
    return undefined
  })
}

/** PTRACE_SEIZE, tried: a child that waits is seized, and ends. */
export function seizeFact(system: System): Fact {
  return tried('seize', 'PTRACE_SEIZE: a child of ours was seized', () => {
    const [gate, hold] = system.pipe2(O_CLOEXEC)
    try {
      const pid = system.fork({
        actions: [
          { op: 'close', fd: hold },
          { op: 'read', fd: gate, bytes: 1 },
        ],
      })
      try {
        system.ptraceSeize(pid, PTRACE_O_EXITKILL)
      } finally {
        system.kill(pid, 'SIGKILL')
        system.waitpid(pid, __WALL)
      }
      return undefined
    } finally {
      system.close(gate)
      system.close(hold)
    }
  })
}

/** clone(CLONE_VM), tried: without it every launch copies the parent's page tables, as fork does. */
export function sharedMemoryFact(addon: Addon): Fact {
  const result = addon.trySharedMemory()
  if (result === 0)
    return {
      name: 'shared memory',
      status: 'ok',
      detail: 'clone(CLONE_VM): a launch takes as long however large the heap is',
    }
  return {
    name: 'shared memory',
    status: 'warn',
    detail: `clone(CLONE_VM) fails with ${errnoText(result)}: launches fork, which takes longer the larger the heap is`,
    cure: 'an emulator or a seccomp filter refuses it; run it without',
  }
}

/** pidfd_open, tried. */
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

function tried(name: string, works: string, attempt: () => string | undefined): Fact {
  let why: string | undefined
  try {
    why = attempt()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    why = error.message
  }
  return why === undefined
    ? { name, status: 'ok', detail: works }
    : { name, status: 'fail', detail: why, cure: refusedCure }
}

function errnoText(result: number): string {
  const { code, message } = describeErrno(-result)
  return `${code} (${message})`
}
