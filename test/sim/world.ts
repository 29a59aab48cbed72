import { SimulatedKernel, type SimulatedKernelOptions } from '../../lib/sim/index.ts'
import { type ChildAction, type ChildProgram, constants, type System } from './system.ts'

export { constants }

/** A fresh world and its host. */
export function world(options?: SimulatedKernelOptions): { kernel: SimulatedKernel; host: System } {
  const kernel = new SimulatedKernel(options)
  return { kernel, host: kernel.host }
}

export function bytes(count: number, value = 120): Uint8Array {
  return new Uint8Array(count).fill(value)
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** A call's result, or the code of its error. */
export function outcome<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** Reads once: the bytes as text. */
export function read(host: System, fd: number, count = 65_536): string {
  const buffer = new Uint8Array(count)
  return new TextDecoder().decode(buffer.subarray(0, host.read(fd, buffer)))
}

/** Writes `size` bytes at a time until a write would block; the number of writes and of bytes. */
export function fill(host: System, fd: number, size: number): { writes: number; total: number } {
  let writes = 0
  let total = 0
  for (;;) {
    const written = outcome(() => host.write(fd, bytes(size)))
    if (typeof written === 'string') return { writes, total }
    writes++
    total += written
  }
}

/** An exec of one program. */
export function exec(file: string, ...args: string[]): ChildAction {
  return { op: 'execve', files: [file], argv: [file, ...args], env: [] }
}

export function program(...actions: ChildAction[]): ChildProgram {
  return { actions }
}

/** A wait's raw status; null if WNOHANG has nothing to report. */
export function wait(host: System, pid: number, options = 0): number | null {
  return host.waitpid(pid, options)?.raw ?? null
}
