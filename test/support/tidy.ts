/** A System that records its open resources, so that a test that fails half-way leaves nothing behind. */

import { afterEach } from 'vitest'
import { openSystem } from '../../lib/open-system.ts'
import { constants } from '../../lib/system/constants.ts'
import { isErrno } from '../../lib/system/errors.ts'
import type { System } from '../../lib/system/system.ts'
import { whyNoNative } from './native.ts'

const { F_DUPFD, F_DUPFD_CLOEXEC, __WALL } = constants

export interface TidySystem {
  readonly system: System
  /** Kills and reaps the remaining children, and closes the remaining descriptors. */
  tidy(): void
}

function quietly(action: () => void, ...codes: string[]): void {
  try {
    action()
  } catch (error) {
    if (!isErrno(error, ...codes)) throw error
  }
}

/** The system, with its results recorded. It cannot see what is opened or closed elsewhere. */
export function tidySystem(real: System): TidySystem {
  const descriptors = new Set<number>()
  const children = new Set<number>()
  const remember = (name: string, args: readonly unknown[], result: unknown) => {
    if (name === 'pipe2' || name === 'socketpair' || name === 'openpty')
      for (const fd of result as number[]) descriptors.add(fd)
    else if (name === 'dup' || name === 'dup3' || name === 'epollCreate1') descriptors.add(result as number)
    else if (name === 'fcntl' && (args[1] === F_DUPFD || args[1] === F_DUPFD_CLOEXEC)) descriptors.add(result as number)
    else if (name === 'recvmsg') for (const fd of (result as { fds: number[] }).fds) descriptors.add(fd)
    else if (name === 'close') descriptors.delete(args[0] as number)
    else if (name === 'fork') children.add(result as number)
  }
  const wrapped = new Map<string | symbol, unknown>()
  const system = new Proxy(real, {
    get(target, key) {
      const known = wrapped.get(key)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const call = (...args: unknown[]) => {
        const result: unknown = value.apply(target, args)
        remember(String(key), args, result)
        return result
      }
      wrapped.set(key, call)
      return call
    },
  })
  const end = (pid: number) => {
    // Signal only unreaped children: the pid of a reaped one may be another process's by now.
    for (let done = real.waitpid(pid, constants.WNOHANG | __WALL); ; done = real.waitpid(pid, __WALL)) {
      if (done !== null && (done.status.kind === 'exited' || done.status.kind === 'signaled')) return
      quietly(() => real.kill(pid, 'SIGKILL'), 'ESRCH')
      quietly(() => real.ptraceCont(pid), 'ESRCH')
    }
  }
  const tidy = () => {
    for (const pid of children) quietly(() => end(pid), 'ECHILD')
    for (const fd of descriptors) quietly(() => real.close(fd), 'EBADF')
    children.clear()
    descriptors.clear()
  }
  return { system, tidy }
}

/** The native system, for a block of tests: it tidies up after each. Not to be used where there is none. */
export function tidyNative(): System {
  // The tests of a skipped block are listed all the same.
  if (whyNoNative !== undefined) return undefined as never
  const { system, tidy } = tidySystem(openSystem('native'))
  afterEach(tidy)
  return system
}
