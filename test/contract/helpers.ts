/** Helpers of the contract's tests. */

import type { ChildAction, ChildProgram } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import { SystemError } from '../../lib/system/errors.ts'
import type { System } from '../../lib/system/system.ts'

const { O_CLOEXEC, WNOHANG } = constants

/** The code of the SystemError that the action throws. Another error, or none, fails the test. */
export function failure(action: () => unknown): string {
  let result: unknown
  try {
    result = action()
  } catch (error) {
    if (error instanceof SystemError) return error.code
    throw error
  }
  throw new Error(`it did not fail, it gave ${JSON.stringify(result)}`)
}

/** The error that the action throws, whatever it is. */
export function thrown(action: () => unknown): Error & { code?: string } {
  let result: unknown
  try {
    result = action()
  } catch (error) {
    return error as Error
  }
  throw new Error(`it did not throw, it gave ${String(result)}`)
}

/** The error that the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  let result: unknown
  try {
    result = await promise
  } catch (error) {
    return error as Error
  }
  throw new Error(`it did not reject, it gave ${String(result)}`)
}

/** A string's bytes, or so many bytes of one letter. */
export function bytes(what: string | number, letter = 'x'): Uint8Array {
  return typeof what === 'string' ? new TextEncoder().encode(what) : new Uint8Array(what).fill(letter.charCodeAt(0))
}

/** Bytes as text. */
export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data)
}

/** One read of up to `most` bytes, as text. */
export function readText(system: System, fd: number, most = 100_000): string {
  const buffer = new Uint8Array(most)
  return text(buffer.subarray(0, system.read(fd, buffer)))
}

/** Writes `size` bytes at a time to a non-blocking descriptor until EAGAIN. */
export function fill(system: System, fd: number, size: number): { writes: number; total: number } {
  const data = bytes(size)
  let total = 0
  for (let writes = 0; ; writes++) {
    try {
      total += system.write(fd, data)
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EAGAIN') return { writes, total }
      throw error
    }
  }
}

/** Reads a non-blocking descriptor until EAGAIN or end of file; the number of bytes. */
export function drain(system: System, fd: number): number {
  const buffer = new Uint8Array(65536)
  for (let total = 0; ; ) {
    try {
      const got = system.read(fd, buffer)
      if (got === 0) return total
      total += got
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EAGAIN') return total
      throw error
    }
  }
}

/** Forks the actions and waits for the end; the raw status. */
export function rawStatusOf(system: System, actions: readonly ChildAction[], rest: Omit<ChildProgram, 'actions'> = {}) {
  const pid = system.fork({ actions, ...rest })
  return system.waitpid(pid)?.raw
}

/** A child that has started and waits at a gate. */
export interface HeldChild {
  readonly pid: number
  /** Opens the gate: the child goes on with its next action. */
  release(): void
  /** Closes the gate: the child reads end of file and exits with 126. */
  abandon(): void
}

export interface HeldOptions {
  readonly before?: readonly ChildAction[]
  readonly after?: readonly ChildAction[]
  readonly memory?: 'shared' | 'copied'
  readonly report?: number
}

/** Forks a child and returns when it waits at its gate. */
export function heldChild(system: System, options: HeldOptions = {}): HeldChild {
  const { before = [], after = [], ...rest } = options
  const [told, tell] = system.pipe2(O_CLOEXEC)
  const [gate, go] = system.pipe2(O_CLOEXEC)
  const pid = system.fork({
    actions: [
      { op: 'close', fd: go },
      ...before,
      { op: 'write', fd: tell, data: bytes('!') },
      { op: 'read', fd: gate, bytes: 1 },
      ...after,
    ],
    ...rest,
  })
  // With this copy closed, the death of the child ends the wait.
  system.close(tell)
  const got = system.read(told, new Uint8Array(1))
  system.close(told)
  system.close(gate)
  if (got !== 1) throw new Error(`child ${pid} ended before its gate`)
  return {
    pid,
    release: () => {
      system.write(go, bytes('!'))
      system.close(go)
    },
    abandon: () => system.close(go),
  }
}

/** Waits on the event loop until the child has ended; its raw status. */
export async function endOf(system: System, pid: number): Promise<number> {
  let changed = () => {}
  let change = new Promise<void>(resolve => {
    changed = resolve
  })
  const stop = system.onChildChange(() => {
    changed()
    change = new Promise<void>(resolve => {
      changed = resolve
    })
  })
  try {
    for (;;) {
      const next = change
      const result = system.waitpid(pid, WNOHANG)
      if (result !== null) return result.raw
      await next
    }
  } finally {
    stop()
  }
}
