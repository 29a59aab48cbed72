/** The memory of a traced process, for its user: reads, writes and breakpoints. */

import type { TracedProcess } from './traced-process.ts'

export function readMemory(
  { space, memoryTid }: TracedProcess,
  address: bigint,
  into: number | Uint8Array,
): Uint8Array {
  return space.read(memoryTid, address, into)
}

export function writeMemory({ space, memoryTid }: TracedProcess, address: bigint, data: Uint8Array): number {
  return space.write(memoryTid, address, data)
}

export function setBreakpoint(process: TracedProcess, address: bigint): Disposable {
  return process.space.insert(address, architectureOf(process))
}

/** The architecture of a stopped thread; while all threads run, that of this Node. */
function architectureOf({ system, tasks }: TracedProcess): string {
  for (const task of tasks.values()) if (task.isStopped) return system.ptraceGetRegisters(task.tid).architecture
  return process.arch
}
