/** The interpreter of child programs: a forked child's actions until it execs or exits, as simulated system calls. */

import { checkDeliveredSignal, checkSignal } from '../../system/arguments.ts'
import { keepsReport } from '../../system/check-child-program.ts'
import { type ChildAction, type ChildProgram, encodeChildReport } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { EACCES, EAGAIN, EINTR, ENOENT, ENOSYS, ENOTDIR } from '../base/results.ts'
import { coreDumpSignals, SIGPIPE, SIGTRAP } from '../base/signal-numbers.ts'
import { SignalSet } from '../base/signal-set.ts'
import { pollFiles } from '../files/poll.ts'
import { execute } from '../processes/exec.ts'
import { begin, newProcess } from '../processes/fork.ts'
import { defaultAction, type Process } from '../processes/process.ts'
import { recalculateSignalPending } from '../processes/signals.ts'
import { type Action, newFrame, type Request, type Task } from '../processes/task.ts'
import { traceMe } from '../processes/tracing.ts'
import type { ChildCall } from './child-calls.ts'
import * as io from './descriptors.ts'
import * as own from './own-process.ts'
import { settingOf } from './settings.ts'

const { PTRACE_EVENT_FORK, POLLIN, POLLOUT, F_GETFL, F_SETFD, F_SETFL, O_CLOEXEC, O_NONBLOCK } = constants

/** The exit code if the parent is gone, or closes the gate without opening it. */
const abortedCode = 126
/** The exit code if an action failed. The report says which. */
const failedCode = 127

/** The result of a step: 0 or more, or a negative errno. */
type Step = Generator<unknown, number, unknown>

/**
 * Signals blocked until exec. A core dump of shared memory would kill the parent, so these block, except SIGTRAP, by
 * which a tracer stops the child. SIGPIPE blocks so that a failed write returns its errno.
 */
const blockedUntilExec = SignalSet.of(coreDumpSignals).delete(SIGTRAP).add(SIGPIPE)

/**
 * Runs the program in a child of `parent`. Returns its exit code, unless an exec replaces it. `keeps`: a failure is
 * recorded in memory.
 */
function* runChildProgram(
  task: Task,
  parent: Process,
  program: ChildProgram,
  keeps: boolean,
): Generator<unknown, number, unknown> {
  task.mask = blockedUntilExec.copy()
  const atExec = { mask: new SignalSet() }
  for (const [index, action] of program.actions.entries()) {
    const result = yield* perform(task, parent, action, atExec)
    if (result >= 0) continue
    const report = { action: index, errno: -result }
    if (keeps) task.process.memory.leaveReport(task.process.id, report)
    if (program.report !== undefined && program.report >= 0) yield* writeAll(program.report, encodeChildReport(report))
    return failedCode
  }
  return 0
}

/** Makes one call and returns its raw result. */
function* call(...[name, args, act]: ChildCall): Step {
  const request: Request = { call: { name }, args, act }
  return (yield request) as number
}

function* perform(task: Task, parent: Process, action: ChildAction, atExec: { mask: SignalSet }): Step {
  switch (action.op) {
    case 'traceme':
      return yield* call('ptrace', [], traceMe)
    case 'write':
      return yield* writeAll(action.fd, action.data)
    case 'read':
      return yield* readAll(action.fd, action.bytes)
    case 'open':
      return yield* open(action.path, action.flags, action.target)
    case 'dup2':
      return yield* dup2(action.fd, action.target)
    case 'setBlocking':
      return yield* setBlocking(action.fd)
    case 'close':
      return yield* call('close', [action.fd], self => io.close(self, action.fd))
    case 'closeAllExcept':
      return yield* call('close_range', [action.fds], self => own.closeAllExcept(self, action.fds))
    case 'chdir':
      return yield* call('chdir', [action.path], self => own.changeDirectory(self, action.path))
    case 'setsid':
      return yield* call('setsid', [], own.newSession)
    case 'parentDeathSignal':
      return yield* setParentDeathSignal(parent, checkDeliveredSignal(action.signal))
    case 'raise':
      return yield* raise(task, checkDeliveredSignal(action.signal))
    case 'exit':
      return yield* call('exit_group', [action.code], self => own.exit(self, action.code))
    case 'execve':
      return yield* execFirst(action.files, action.argv, action.env, atExec.mask)
    case 'ignoreSignals':
      return yield* ignoreSignals(action.signals.map(signal => checkSignal(signal)))
    case 'signalMask':
      atExec.mask = SignalSet.mask(action.signals.map(signal => checkSignal(signal)))
      return 0
    default:
      return yield* setting(action)
  }
}

function* setting(action: ChildAction): Step {
  const found = settingOf(action)
  // fork() has refused what is not simulated.
  return found === undefined ? -ENOSYS : yield* call(...found)
}

function* waitReady(fd: number, events: number): Step {
  return yield* call('ppoll', [fd, events], self =>
    pollFiles(self, [{ fd, file: self.process.descriptors.get(fd), events }], undefined),
  )
}

/** A write, which a fault may shorten. */
const writing = {
  name: 'write',
  prepare:
    (fd: number, data: Uint8Array): Action =>
    task =>
      io.write(task, fd, data),
}

function* writeAll(fd: number, data: Uint8Array): Step {
  for (let done = 0; done < data.length; ) {
    const rest = data.subarray(done)
    const request: Request = { call: writing, args: [fd, rest], act: writing.prepare(fd, rest) }
    const written = (yield request) as number
    if (written === -EAGAIN) yield* waitReady(fd, POLLOUT)
    else if (written >= 0) done += written
    else if (written !== -EINTR) return written
  }
  return 0
}

function* readAll(fd: number, bytes: number): Step {
  const buffer = new Uint8Array(Math.min(bytes, 256))
  for (let left = bytes; left > 0; ) {
    const got = yield* call('read', [fd], self => io.read(self, fd, buffer.subarray(0, Math.min(left, buffer.length))))
    // End of file: the process that should open the gate is gone. The child must never go on by itself.
    if (got === 0) yield* call('exit_group', [abortedCode], self => own.exit(self, abortedCode))
    else if (got === -EAGAIN) yield* waitReady(fd, POLLIN)
    else if (got >= 0) left -= got
    else if (got !== -EINTR) return got
  }
  return 0
}

function* open(path: string, flags: number, target: number): Step {
  const fd = yield* call('openat', [path, flags], self => own.open(self, path, flags))
  if (fd < 0 || fd === target) return fd
  const moved = yield* call('dup3', [fd, target], self => io.dup3(self, fd, target, flags & O_CLOEXEC))
  yield* call('close', [fd], self => io.close(self, fd))
  return moved
}

function* dup2(fd: number, target: number): Step {
  // dup2 onto itself would leave close-on-exec set.
  if (fd === target) return yield* call('fcntl', [fd, F_SETFD, 0], self => io.fcntl(self, fd, F_SETFD, 0))
  return yield* call('dup3', [fd, target], self => io.dup3(self, fd, target, 0))
}

function* setBlocking(fd: number): Step {
  const flags = yield* call('fcntl', [fd, F_GETFL, 0], self => io.fcntl(self, fd, F_GETFL, 0))
  if (flags < 0 || (flags & O_NONBLOCK) === 0) return flags
  const blocking = flags & ~O_NONBLOCK
  return yield* call('fcntl', [fd, F_SETFL, blocking], self => io.fcntl(self, fd, F_SETFL, blocking))
}

function* setParentDeathSignal(parent: Process, signal: number): Step {
  const result = yield* call('prctl', ['PDEATHSIG', signal], self => own.setDeathSignal(self, signal))
  if (result < 0 || signal === 0) return result
  // PR_SET_PDEATHSIG covers later deaths only.
  const now = yield* call('getppid', [], self => self.process.parent.id)
  if (now !== parent.id) yield* call('exit_group', [abortedCode], self => own.exit(self, abortedCode))
  return 0
}

function* raise(task: Task, signal: number): Step {
  const held = blockedUntilExec.has(signal)
  if (held) yield* setMask(task.mask.copy().delete(signal))
  const result = yield* call('tgkill', [signal], self => own.raise(self, signal))
  if (held) yield* setMask(task.mask.copy().add(signal))
  return result
}

function* ignoreSignals(signals: readonly number[]): Step {
  for (const signal of signals.toSorted((a, b) => a - b)) {
    const action = { ...defaultAction, handler: 'ignore' } as const
    const result = yield* call('rt_sigaction', [signal], self => own.sigaction(self, signal, action))
    if (result < 0) return result
  }
  return 0
}

/** Sets the mask as a call of its own: pending signals that it unblocks are delivered at its end. */
function* setMask(mask: SignalSet): Step {
  return yield* call('rt_sigprocmask', [], self => {
    self.mask = mask
    recalculateSignalPending(self)
    return 0
  })
}

/** Tries the candidates of a search path in turn, as execvp does. An errno more specific than ENOENT is reported. */
function* execFirst(files: readonly string[], argv: readonly string[], env: readonly string[], mask: SignalSet): Step {
  yield* setMask(mask.copy())
  let kept = 0
  let absent = false
  for (const file of files) {
    const result = yield* call('execve', [file, argv], self => execute(self, file, argv, env))
    if (result === -ENOENT) absent = true
    else if (result === -EACCES) kept ||= result
    else if (result !== -ENOTDIR) {
      kept = result
      break
    }
  }
  yield* setMask(blockedUntilExec.copy())
  return kept || (absent ? -ENOENT : -ENOTDIR)
}

/** fork(2) with a child program to run; returns the pid. */
export function forkChildProgram(parent: Task, program: ChildProgram): number {
  const child = newProcess(parent)
  // The parent's handlers do not exist in the child, and the program must not inherit ignored signals.
  child.process.actions.clear()
  child.frames.push(newFrame(runChildProgram(child, parent.process, withCopiedBytes(program), keepsReport(program))))
  return begin(parent, child, PTRACE_EVENT_FORK)
}

/** Copies the bytes to write: later changes in the parent must not reach the child. */
function withCopiedBytes(program: ChildProgram): ChildProgram {
  const actions = program.actions.map(action =>
    action.op === 'write' ? { ...action, data: action.data.slice() } : action,
  )
  return { ...program, actions }
}
