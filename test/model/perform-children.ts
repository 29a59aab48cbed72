/** The operations about children: fork, waitpid, kill, ptrace. */

import type { ChildAction } from '../../lib/system/child-program.ts'
import { constants } from '../../lib/system/constants.ts'
import type { Registers } from '../../lib/system/registers.ts'
import type { Signal } from '../../lib/system/signals.ts'
import type { SignalInfo, System } from '../../lib/system/system.ts'
import type { Observation } from './compare.ts'
import type { ChildStep, Operation, TraceRequest } from './operations.ts'
import { isNonBlocking, isNonBlockingSocket, isSocket, passedOver, type Session } from './session.ts'

const { WNOHANG } = constants

type ChildOperation = Operation & { op: 'fork' | 'waitpid' | 'kill' | 'ptrace' }

export function performForChildren(session: Session, operation: ChildOperation): Observation {
  const { system } = session.world
  switch (operation.op) {
    case 'fork': {
      if (operation.steps.some(step => mightSpin(session, step))) return passedOver
      const works = operation.steps.some(step => step.op === 'read' || step.op === 'write')
      if (works && !session.mayWork(operation.steps.some(step => mustBeAlone(session, step)))) return passedOver
      const actions = operation.steps.map(step => action(session, step))
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
      system.kill(operation.group === true ? -pid : pid, operation.signal)
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
    default:
      return step
  }
}

/** A wait's raw status. Its resource usage is not comparable. */
function wait(session: Session, operation: Operation & { op: 'waitpid' }): Observation {
  const pid = session.pid(operation.child)
  // A wait that blocks would block the whole comparison.
  const returns = session.children.has(pid) && session.stateOf(pid) === 'ended'
  const result = session.world.system.waitpid(pid, returns ? operation.options : operation.options | WNOHANG)
  if (result === null) return null
  const { kind } = result.status
  const child = session.nameOf(result.pid)
  if (kind === 'exited' || kind === 'signaled') session.children.delete(result.pid)
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
      return session.nameOf(system.ptraceGetEventMessage(pid))
    case 'GetSigInfo':
      return siginfo(session, system.ptraceGetSigInfo(pid))
    case 'GetRegisters':
      return registers(system.ptraceGetRegisters(pid))
    case 'GetSigMask':
      return system.ptraceGetSigMask(pid)
    case 'SetSigMask':
      system.ptraceSetSigMask(pid, operation.signals)
      return 'done'
  }
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
