/** System calls of a process about itself. Its forks, threads and execs are in processes/. */

import { constants } from '../../system/constants.ts'
import {
  blocked,
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  ENOTDIR,
  EPERM,
  ESRCH,
  restartUnlessHandled,
} from '../base/results.ts'
import { isValidSignal, SIGKILL, SIGSTOP } from '../base/signal-numbers.ts'
import { SignalSet } from '../base/signal-set.ts'
import { NullDevice } from '../files/null-device.ts'
import { Wait, type WaitReason } from '../files/wait.ts'
import { fromThread } from '../processes/pending-signals.ts'
import { defaultAction, type SignalAction } from '../processes/process.ts'
import { killThreads, originOf, recalculateSignalPending, sendToTask, setAction } from '../processes/signals.ts'
import type { Task } from '../processes/task.ts'

const { O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY } = constants

/** Changeable limits: RLIMIT_NOFILE and RLIMIT_CORE. */
export type Limit = 'nofile' | 'core'

/** exit_group(2). */
export function exit(task: Task, code: number): number {
  task.frames.length = 0
  killThreads(task.process, (code & 0xff) << 8)
  return 0
}

/** exit(2): the end of one thread. */
export function exitThread(task: Task, code: number): number {
  task.frames.length = 0
  task.ending = (code & 0xff) << 8
  task.signalPending = true
  return 0
}

/** open(2). The only files are /dev/null and programs; programs cannot be read. */
export function open(task: Task, path: string, flags: number): number {
  const { kernel, process } = task
  const found = kernel.fileTree.resolve(process.directory, path)
  if (typeof found === 'number') return found
  if (flags & O_CREAT && flags & O_EXCL) return -EEXIST
  if (found.kind === 'directory') return (flags & O_ACCMODE) === O_RDONLY ? -EACCES : -EISDIR
  if (flags & O_DIRECTORY) return -ENOTDIR
  if (found.kind === 'program') return -EACCES
  const free = process.descriptors.lowestFree()
  if (free < 0) return free
  const file = new NullDevice(kernel, flags & (O_ACCMODE | constants.O_NONBLOCK | constants.O_APPEND))
  return process.descriptors.add(file, (flags & O_CLOEXEC) !== 0)
}

/** Open, write and close of a file, as one call. Only /dev/null is writable. */
export function writeFile(task: Task, path: string): number {
  const found = task.kernel.fileTree.resolve(task.process.directory, path)
  if (typeof found === 'number') return found
  return found.kind === 'device' ? 0 : found.kind === 'directory' ? -EISDIR : -EACCES
}

/** close_range(2) of every gap between the listed descriptors. */
export function closeAllExcept(task: Task, kept: readonly number[]): number {
  const { descriptors } = task.process
  const numbers = descriptors.numbers().filter(fd => !kept.includes(fd))
  let from = 0
  for (const next of [...kept].sort((a, b) => a - b).concat(Number.POSITIVE_INFINITY)) {
    descriptors.removeAll(numbers.filter(fd => fd >= from && fd < next))
    from = next
  }
  return 0
}

/** chdir(2). */
export function changeDirectory(task: Task, path: string): number {
  const found = task.kernel.fileTree.resolve(task.process.directory, path)
  if (typeof found === 'number') return found
  if (found.kind !== 'directory') return -ENOTDIR
  task.process.directory = found.path
  return 0
}

/** setsid(2). */
export function newSession(task: Task): number {
  const { kernel, process } = task
  kernel.trace.groupsUsed?.()
  for (const { group } of kernel.processes.values()) if (group === process.id) return -EPERM
  process.session = process.id
  process.group = process.id
  return process.id
}

/** setpgid(2). */
export function setGroup(task: Task, pid: number, group: number): number {
  const { kernel, process } = task
  if (group < 0) return -EINVAL
  kernel.trace.groupsUsed?.()
  kernel.trace.numbersUsed?.()
  const target = kernel.processes.get(pid || process.id)
  if (target === undefined || (target !== process && target.parent !== process)) return -ESRCH
  kernel.trace.processUsed?.(target)
  if (target !== process) {
    if (target.session !== process.session) return -EPERM
    if (target.hasExeced) return -EACCES
  }
  if (target.session === target.id) return -EPERM
  const wanted = group || target.id
  if (wanted !== target.id) {
    const inSession = [...kernel.processes.values()].some(
      other => other.group === wanted && other.session === process.session,
    )
    if (!inSession) return -EPERM
  }
  target.group = wanted
  return 0
}

/** prctl(2) PR_SET_PDEATHSIG. */
export function setDeathSignal(task: Task, signal: number): number {
  if (!isValidSignal(signal)) return -EINVAL
  task.deathSignal = signal
  return 0
}

/** setrlimit(2), the soft limit. */
export function setLimit(task: Task, limit: Limit, value: number): number {
  if (limit === 'nofile') task.process.descriptors.limit = value
  else task.process.coreLimit = value
  return 0
}

/** tgkill(2) of the calling thread. */
export function raise(task: Task, signal: number): number {
  if (!isValidSignal(signal)) return -EINVAL
  sendToTask(task, signal, originOf(task, fromThread))
  return 0
}

/** sigaction(2): returns the previous action; null changes nothing. */
export function sigaction(task: Task, signal: number, action: SignalAction | null): SignalAction | number {
  if (signal < 1 || !isValidSignal(signal)) return -EINVAL
  if (action !== null && (signal === SIGKILL || signal === SIGSTOP)) return -EINVAL
  const before = task.process.actions.get(signal) ?? defaultAction
  if (action !== null) setAction(task.process, signal, action)
  return before
}

/** sigprocmask(2): returns the signals blocked before. */
export function sigprocmask(task: Task, how: 'block' | 'unblock' | 'set', signals: readonly number[]): number[] {
  const before = task.mask.toNumbers()
  const set = SignalSet.mask(signals)
  if (how === 'block') task.mask.addAll(set)
  else if (how === 'unblock') task.mask.deleteAll(set)
  else task.mask = set
  recalculateSignalPending(task)
  return before
}

/** nanosleep(2). */
export function sleep(task: Task, ms: number): number {
  return sleepUntil(task, task.kernel.clock.now() + ms)
}

function sleepUntil(task: Task, deadline: number): number {
  return task.kernel.clock.now() >= deadline ? 0 : task.block(new Sleep(task, undefined, deadline))
}

/** pause(2): returns once a handler has run. */
export function pause(task: Task): number {
  return task.block(new Pause(task))
}

class Sleep extends Wait<Task> {
  attempt(): number {
    return this.timedOut ? 0 : blocked
  }

  override interrupted(): number {
    return restartUnlessHandled
  }

  override restart(): () => number {
    return () => sleepUntil(this.task, this.deadline!)
  }

  leave(): void {}

  get reason(): WaitReason {
    return { on: 'sleep', deadline: this.deadline! }
  }
}

class Pause extends Wait {
  attempt(): number {
    return blocked
  }

  override interrupted(): number {
    return restartUnlessHandled
  }

  leave(): void {}

  get reason(): WaitReason {
    return { on: 'signal' }
  }
}
