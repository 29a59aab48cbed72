/** Scripts of test/fixtures/threads.c, traced. */

import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import { bytes } from './helpers.ts'
import type { WorldUnderTest } from './suite.ts'

const { O_CLOEXEC, PTRACE_O_EXITKILL, PTRACE_O_TRACEEXEC, WNOHANG, __WALL } = constants

/** The number of a script's first gate: a descriptor to read from. The next ones follow. */
const firstGate = 40
const gateCount = 3

export const execStop = 0x04057f
export const cloneStop = 0x03057f
export const exitStop = 0x06057f
/** The first stop of a new task, and that of PTRACE_INTERRUPT, of a seized one. */
export const eventStop = 0x80057f
export const sigstop = 0x137f

/** A traced program that has reached its exec stop. */
export interface Scripted {
  readonly pid: number
  /** Lets the script's read from descriptor 40 + n return. */
  open(gate: number): void
}

/** Starts a script under PTRACE_TRACEME, or under PTRACE_SEIZE. It ends with the test. */
export function trace(world: WorldUnderTest, script: string, how: 'traceme' | 'seize', options = 0): Scripted {
  const { system, programs } = world
  const gates = Array.from({ length: gateCount }, () => system.pipe2(O_CLOEXEC))
  const [go, letGo] = system.pipe2(O_CLOEXEC)
  const pid = system.fork({
    actions: [
      ...gates.map(([reader], i) => ({ op: 'dup2', fd: reader, target: firstGate + i }) as const),
      ...(how === 'traceme'
        ? ([{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }] as const)
        : ([{ op: 'read', fd: go, bytes: 1 }] as const)),
      { op: 'execve', files: [programs.threads!], argv: ['threads', script, programs.true], env: [] },
    ],
  })
  const all = options | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL
  if (how === 'traceme') {
    system.waitpid(pid)
    system.ptraceSetOptions(pid, all)
    system.ptraceCont(pid)
  } else {
    system.ptraceSeize(pid, all)
    system.write(letGo, bytes('!'))
  }
  const raw = system.waitpid(pid)?.raw
  if (raw !== execStop) throw new Error(`the script has not started: 0x${raw?.toString(16)}`)
  return { pid, open: gate => system.write(gates[gate]![1], bytes('!')) }
}

/** Waits for one task; the raw status. */
export function waitFor(system: System, tid: number): number | undefined {
  return system.waitpid(tid, __WALL)?.raw
}

/** Whether a task has something to report now. */
export function isQuiet(system: System, tid: number): boolean {
  return system.waitpid(tid, __WALL | WNOHANG) === null
}

/** Continues a task at a creation event, and takes the first stop of what it has created; the new number. */
export function takeBirth(system: System, tid: number, birth: number): number {
  const born = system.ptraceGetEventMessage(tid)
  const raw = waitFor(system, born)
  if (raw !== birth) throw new Error(`the birth of ${born} is 0x${raw?.toString(16)}`)
  system.ptraceCont(tid)
  system.ptraceCont(born)
  return born
}
