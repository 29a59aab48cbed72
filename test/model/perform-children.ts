/** The operations about children: fork, waitpid, kill, ptrace. */

import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import type { Registers } from '../../lib/system/registers.ts'
import { type Signal, signalNumber } from '../../lib/system/signals.ts'
import type { SignalInfo, System } from '../../lib/system/system.ts'
import type { WaitStatus } from '../../lib/system/wait-status.ts'
import type { Observation } from './compare.ts'
import type { ChildStep, Fd, Operation, TraceRequest } from './operations.ts'
import { isNonBlocking, isNonBlockingSocket, isSocket, outcome, passedOver, type Session } from './session.ts'

const { WNOHANG } = constants

type ChildOperation = Operation & {
  op: 'fork' | 'letIn' | 'waitpid' | 'waitid' | 'kill' | 'tgkill' | 'tgsigqueueinfo' | 'ptrace'
}

export function performForChildren(session: Session, operation: ChildOperation): Observation {
  const { system } = session.world
  switch (operation.op) {
    case 'fork': {
      if (operation.steps.some(step => mightSpin(session, step))) return passedOver
      if (operation.steps.some(({ op }) => op === 'script')) session.hasThreads = true
      const work = operation.steps.filter(step => step.op === 'read' || step.op === 'write')
      // The first call of several may wake another child, with which the next ones would race.
      const alone = work.length > 1 || work.some(step => mustBeAlone(session, step))
      if (work.length > 0 && !session.mayWork(alone)) return passedOver
      const actions = operation.steps.flatMap(step => [...keptOpen(session, step), action(session, step)])
      const report = operation.report === undefined ? {} : { report: session.fd(operation.report) }
      session.forked(operation.child, system.fork({ actions, ...report }))
      return 'forked'
    }
    case 'waitpid':
      return wait(session, operation)
    case 'kill': {
      const pid = session.pid(operation.child)
      // A freed number may belong to another process by now: only children are signalled.
      if (typeof operation.child === 'string' && !session.children.has(pid)) return 'not signalled'
      if (session.hasThreads && session.stateOf(pid) === 'ended') return 'not signalled'
      system.kill(operation.group === true ? -pid : pid, operation.signal)
      return 'signalled'
    }
    case 'letIn':
      return letIn(session, operation.gate)
    case 'waitid':
      return look(session, operation)
    case 'tgkill': {
      const tid = session.pid(operation.child)
      // An orphan that has ended vanishes once init has reaped it, whenever that is.
      if (!session.children.has(tid) || session.stateOf(tid) === 'ended') return 'not signalled'
      system.tgkill(session.processOf(tid), tid, operation.signal)
      return 'signalled'
    }
    case 'tgsigqueueinfo': {
      const tid = session.pid(operation.child)
      // An orphan that has ended vanishes once init has reaped it, whenever that is.
      if (!session.children.has(tid) || session.stateOf(tid) === 'ended') return 'not signalled'
      system.tgsigqueueinfo(session.processOf(tid), tid, queued(operation))
      return 'signalled'
    }
    case 'ptrace': {
      const pid = session.pid(operation.child)
      if (typeof operation.child === 'string' && !session.children.has(pid)) return 'not traced'
      return trace(session, system, pid, operation)
    }
  }
}

/**
 * A child that gets EAGAIN polls and tries again. In some states of Linux a socket polls readable but a read fails with
 * EAGAIN (a datagram socket after shutdown, urgent data read): the child would loop for ever.
 */
function mightSpin(session: Session, step: ChildStep): boolean {
  return (step.op === 'read' || step.op === 'write') && isNonBlockingSocket(session, session.fd(step.fd))
}

/**
 * Whether only one child may do this step at a time. Blocked readers and writers of a pipe, and blocked readers of
 * messages, are served in order. Children that poll (their descriptors are non-blocking) all wake at once. So do
 * blocked readers of a stream and blocked writers of any socket.
 */
function mustBeAlone(session: Session, step: ChildStep): boolean {
  if (step.op !== 'read' && step.op !== 'write') return false
  const fd = session.fd(step.fd)
  return isNonBlocking(session, fd) || isSocket(session, fd, step.op === 'write' ? undefined : constants.SOCK_STREAM)
}

function action(session: Session, step: ChildStep): ChildAction {
  switch (step.op) {
    case 'write':
      return { op: 'write', fd: session.fd(step.fd), data: session.data(step.bytes) }
    case 'read':
      return { op: 'read', fd: session.fd(step.fd), bytes: step.bytes }
    case 'close':
      return { op: 'close', fd: session.fd(step.fd) }
    case 'dup2':
      return { op: 'dup2', fd: session.fd(step.fd), target: session.fd(step.target) }
    case 'closeAllExcept':
      return { op: 'closeAllExcept', fds: step.fds.map(fd => session.fd(fd)).sort((a, b) => a - b) }
    case 'execve':
      return { ...step, env: [] }
    case 'script':
      return script(session, step)
    default:
      return step
  }
}

/** The gates of a script are close-on-exec, and its exec has to keep the ends that it reads from. */
function keptOpen(session: Session, step: ChildStep): ChildAction[] {
  if (step.op !== 'script') return []
  return step.gates.map(gate => ({ op: 'dup2', fd: session.fd(gate), target: session.fd(gate) }))
}

/** The exec of a script. */
function script(session: Session, { script, gates }: ChildStep & { op: 'script' }): ChildAction {
  const numbered = script.replace(/[ABC]/g, letter => String(session.fd(gates['ABC'.indexOf(letter)]!)))
  return {
    op: 'execve',
    files: [session.world.threads],
    argv: ['threads', numbered, '/bin/true'],
    env: [],
  }
}

/** A siginfo_t as sigqueue(3) makes it. */
function queued({ signal, value }: Operation & { op: 'tgsigqueueinfo' }): Uint8Array {
  const bytes = new Uint8Array(128)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, typeof signal === 'number' ? signal : signalNumber(signal)!, true)
  view.setInt32(8, constants.SI_QUEUE, true)
  view.setInt32(24, value, true)
  return bytes
}

/** Gives names to the task that a tracee has just created, and counts one that has ended out. */
function note(session: Session, pid: number, status: WaitStatus, isTaken: boolean): void {
  const { kind } = status
  if (kind === 'stopped' && (status.event === 'fork' || status.event === 'vfork' || status.event === 'clone')) {
    const born = outcome(() => session.world.system.ptraceGetEventMessage(pid))
    if (typeof born === 'number') session.born(pid, born, status.event === 'clone')
  }
  if (isTaken && (kind === 'exited' || kind === 'signaled')) session.children.delete(pid)
}

/** Opens a gate for the task that waits at it, if one does: a gate that stays open would let two tasks race later. */
function letIn(session: Session, gate: Fd): Observation {
  const { system } = session.world
  if (typeof gate !== 'string' || !gate.startsWith('r')) return passedOver
  const reader = session.fd(gate)
  system.write(session.fd(gate.replace(/^r/, 'w')), Uint8Array.of(33))
  session.settle()
  if (system.bytesReadable(reader) === 0) return 'let in'
  system.read(reader, new Uint8Array(1))
  return 'no task waits'
}

/** A waitid, which never blocks. */
function look(session: Session, { child, options }: Operation & { op: 'waitid' }): Observation {
  const result = session.world.system.waitid(constants.P_PID, session.pid(child), options)
  if (result === null) return null
  const name = session.nameOf(result.pid)
  note(session, result.pid, result.status, (options & constants.WNOWAIT) === 0)
  const { status } = result
  const detail = status.kind === 'stopped' ? status.event : status.kind === 'exited' ? status.code : undefined
  return { child: name, kind: status.kind, signal: status.kind === 'continued' ? null : status.signal, detail }
}

/** A wait's raw status. Its resource usage is not comparable. */
function wait(session: Session, operation: Operation & { op: 'waitpid' }): Observation {
  const pid = session.pid(operation.child)
  // A wait that blocks would block the whole comparison. One for a leader that has ended blocks while it has threads.
  const returns = !session.hasThreads && session.children.has(pid) && session.stateOf(pid) === 'ended'
  const result = session.world.system.waitpid(pid, returns ? operation.options : operation.options | WNOHANG)
  if (result === null) return null
  const child = session.nameOf(result.pid)
  session.found(result.pid)
  note(session, result.pid, result.status, true)
  return { child, raw: result.raw }
}

function isSignal(signal: Signal | undefined): boolean {
  return typeof signal !== 'number' || (signal >= 0 && signal <= 64)
}

function trace(session: Session, system: System, pid: number, operation: TraceRequest): Observation {
  switch (operation.request) {
    case 'Step':
    case 'Syscall':
      // Single steps and call stops depend on the machine's code for a child's actions: only refusals are comparable.
      if (session.stateOf(pid) === 'traced' && isSignal(operation.signal)) return passedOver
      system[`ptrace${operation.request}`](pid, operation.signal)
      return 'done'
    case 'Cont':
    case 'Detach':
      system[`ptrace${operation.request}`](pid, operation.signal)
      return 'done'
    case 'Seize':
    case 'SetOptions':
      system[`ptrace${operation.request}`](pid, operation.options)
      return 'done'
    case 'Attach':
    case 'Interrupt':
    case 'Listen':
      system[`ptrace${operation.request}`](pid)
      return 'done'
    case 'GetEventMessage':
      return eventMessage(session, system, pid)
    case 'GetSigInfo':
      return siginfo(session, system.ptraceGetSigInfo(pid))
    case 'GetRegisters':
      return registers(system.ptraceGetRegisters(pid))
    case 'PeekSigInfo':
      return system
        .ptracePeekSigInfo(pid, 0, 10, operation.shared ? constants.PTRACE_PEEKSIGINFO_SHARED : 0)
        .map(info => siginfo(session, info))
    case 'GetSigMask':
      return system.ptraceGetSigMask(pid)
    case 'SetSigMask':
      system.ptraceSetSigMask(pid, operation.signals)
      return 'done'
  }
}

/** The message is a task at the events of new tasks, of the end of a vfork, and of an exec. */
function eventMessage(session: Session, system: System, pid: number): Observation {
  const message = system.ptraceGetEventMessage(pid)
  const info = outcome(() => system.ptraceGetSigInfo(pid).code >> 8)
  const { PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE } = constants
  if (info === PTRACE_EVENT_FORK || info === PTRACE_EVENT_VFORK || info === PTRACE_EVENT_CLONE) {
    session.born(pid, message, info === PTRACE_EVENT_CLONE)
  }
  const isTask = typeof info === 'number' && info > 0 && info < constants.PTRACE_EVENT_EXIT
  return isTask || !session.hasThreads ? session.nameOf(message) : message
}

/** Drops addresses, which depend on the machine, and pids and uids, which differ between worlds. */
function siginfo(session: Session, info: SignalInfo): Observation {
  const { signal, code, errno, status, value, pid, uid } = info
  return {
    signal,
    code,
    errno,
    ...(status === undefined ? {} : { status }),
    ...(value === undefined ? {} : { value: String(value) }),
    ...(pid === undefined ? {} : { pid: session.nameOf(pid) }),
    ...(uid === undefined ? {} : { uid: pid !== 0 && uid === session.world.uid ? 'own' : uid }),
  }
}

/** Only the names of registers are comparable; their values depend on the machine. */
function registers(values: Registers): Observation {
  return Object.keys(values).sort()
}
