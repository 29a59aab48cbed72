/** The permissions of this process: Yama, seccomp, capabilities. Read from /proc. */

import { capSysPtrace } from '../native/proc.ts'
import type { Fact } from './fact.ts'

/** The meaning and the remedy of each ptrace_scope. */
const scopes: Readonly<Record<string, readonly [meaning: string, cure?: string]>> = {
  '0': ['any process of this user may be traced'],
  '1': [
    'only descendants may be traced: launch() works; gdb, strace and perf cannot attach to what another process launched',
    'sysctl kernel.yama.ptrace_scope=0, or run the tool as root',
  ],
  '2': [
    'tracing anything, even a child of this process, needs CAP_SYS_PTRACE',
    'sysctl kernel.yama.ptrace_scope=1, or run it as root; in a container: --cap-add=SYS_PTRACE',
  ],
  '3': [
    'nothing may be traced, not even a child of this process, and nothing changes that before the next boot',
    'boot with another kernel.yama.ptrace_scope',
  ],
}

/** Yama's ptrace_scope, undefined if it is unreadable. `hasSettings`: whether /proc/sys exists. */
export function yamaFact(scope: string | undefined, hasSettings: boolean): Fact {
  const name = 'yama'
  if (scope === undefined && !hasSettings) {
    const detail = 'unknown: there is no /proc/sys'
    return { name, status: 'warn', detail, cure: 'mount -t proc proc /proc, without subset=pid' }
  }
  if (scope === undefined)
    return { name, status: 'ok', detail: 'not in this kernel: any process of this user may be traced' }
  const [meaning, cure] = scopes[scope] ?? ['a value that is not known here', 'sysctl kernel.yama.ptrace_scope=0']
  const detail = `ptrace_scope is ${scope}: ${meaning}`
  return cure === undefined ? { name, status: 'ok', detail } : { name, status: 'warn', detail, cure }
}

/** Seccomp's mode. `status` is the text of /proc/self/status. */
export function seccompFact(status: string): Fact {
  const name = 'seccomp'
  const mode = field(status, 'Seccomp')
  if (mode === undefined) return { name, status: 'warn', detail: 'unknown: /proc/self/status does not say' }
  if (mode === '0') return { name, status: 'ok', detail: 'mode 0: no filter' }
  const filters = field(status, 'Seccomp_filters')
  const count = filters === undefined ? 'filters are' : filters === '1' ? '1 filter is' : `${filters} filters are`
  return {
    name,
    status: 'warn',
    detail: `mode ${mode}: ${count} in force: calls may be refused; what the other lines have tried is what counts`,
    cure: 'in a container: --security-opt seccomp=unconfined',
  }
}

/**
 * CAP_SYS_PTRACE. `status` is the text of /proc/self/status. `isConfined`: this is a user namespace, and capabilities
 * do not reach beyond it.
 */
export function capabilitiesFact(status: string, isRoot: boolean, isConfined: boolean): Fact {
  const name = 'capabilities'
  const effective = field(status, 'CapEff')
  if (effective === undefined) return { name, status: 'warn', detail: 'unknown: /proc/self/status does not say' }
  if ((BigInt(`0x${effective}`) & capSysPtrace) !== 0n) {
    const where = isConfined ? ' in this user namespace' : ''
    return { name, status: 'ok', detail: `CAP_SYS_PTRACE: processes of every user${where} may be traced` }
  }
  const detail = 'without CAP_SYS_PTRACE: only processes of this user may be traced, which is enough for launch()'
  if (!isRoot) return { name, status: 'ok', detail }
  return { name, status: 'warn', detail: `${detail}; root has lost it`, cure: 'in a container: --cap-add=SYS_PTRACE' }
}

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)?.[1]
}
