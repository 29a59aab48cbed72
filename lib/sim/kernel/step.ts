/** One step of a task: a system call, stops and signals due after it, and the program's code up to its next call. */

import { constants } from '../../system/constants.ts'
import { blocked, EINTR, isRestart, restartOrEintr } from '../base/results.ts'
import { SIGABRT, SIGTRAP } from '../base/signal-numbers.ts'
import { type Delivery, deliver } from '../processes/delivery.ts'
import { fromTraceExec, fromTraceStep } from '../processes/pending-signals.ts'
import type { HandlerCode } from '../processes/process.ts'
import { stopForCall, traceEvent } from '../processes/ptrace-stop.ts'
import { killThreads, recalculateSignalPending, sendToTask } from '../processes/signals.ts'
import { type CallRow, type Frame, newFrame, type Request, type Task } from '../processes/task.ts'
import { waitForVfork } from '../processes/vfork.ts'
import { tryAgain } from './retry.ts'
import { wrongEnd, wrongFailure, wrongStep, wrongYield } from './wrong-program.ts'

const { PTRACE_EVENT_VFORK, PTRACE_EVENT_VFORK_DONE } = constants
const { PTRACE_EVENTMSG_SYSCALL_ENTRY, PTRACE_EVENTMSG_SYSCALL_EXIT } = constants

/** The call that tracepoints see at the end of a program. */
const exiting: CallRow = { name: 'exit', words: ([code]) => [code as number] }

/** Takes the step of a running task. */
export function step(task: Task): void {
  if (task.work !== null) continueWork(task)
  else if (task.wait !== null) finish(task, topFrame(task)?.request ?? null, tryAgain(task))
  else if (task.signalPending && deliversFirst(task)) beginWork(task, returnToProgram(task))
  else makeCall(task)
}

/** Whether a pending signal is delivered before the call about to begin, or found pending by it: a choice. */
function deliversFirst(task: Task): boolean {
  const { request } = topFrame(task) ?? { request: null }
  if (request === null || task.killed || task.process.groupExit !== null) return true
  return task.kernel.choose({ kind: 'signal', options: ['deliver', 'call'], task }) === 0
}

function topFrame(task: Task): Frame | undefined {
  return task.frames[task.frames.length - 1]
}

function makeCall(task: Task): void {
  const frame = topFrame(task)!
  if (frame.request === null) advance(task)
  const { request } = frame
  if (request === null) return
  if (task.trace?.resume === 'syscall' && !request.call.isAccess) beginWork(task, tracedCall(task, request))
  else finish(task, request, act(task, frame, request))
}

/** Carries out a call. What it throws (an argument of a wrong type) is thrown into the program. */
function act(task: Task, frame: Frame, request: Request): unknown {
  try {
    return task.kernel.perform(task, request.call, request.act, request.args)
  } catch (error) {
    frame.request = { ...request, act: () => 0 }
    return new Thrown(error)
  }
}

/** An error from a call, to be thrown into the program. */
class Thrown {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

/** Goes on after a call that has a result; a blocked one goes on when it is woken. */
function finish(task: Task, request: Request | null, result: unknown): void {
  if (result === blocked) return
  const resume = task.trace?.resume ?? 'cont'
  if (task.signalPending || task.events.length > 0 || resume !== 'cont' || isRestart(result)) {
    settleCall(task, result)
    beginWork(task, returnToProgram(task, request, result))
  } else {
    settleCall(task, result)
    advance(task)
  }
}

/** Stores a call's result for the program, unless an exec or exit ended that program. */
function settleCall(task: Task, result: unknown): void {
  const frame = topFrame(task)
  if (frame === undefined || frame.request === null) return
  frame.value = result
  if (!isRestart(result)) frame.request = null
}

/** A call with syscall-stops at entry and exit; {@link returnToProgram} makes the one at exit. */
function* tracedCall(task: Task, request: Request): Generator<void, void, void> {
  task.stoppedCall = { request }
  yield* stopForCall(task, PTRACE_EVENTMSG_SYSCALL_ENTRY)
  task.stoppedCall = null
  recalculateSignalPending(task)
  const frame = topFrame(task)!
  let result = act(task, frame, request)
  while (result === blocked) {
    yield
    result = tryAgain(task)
  }
  settleCall(task, result)
  yield* returnToProgram(task, request, result)
}

/**
 * The way back to the program's code, which goes on in the next step: after a call, ptrace events and the
 * syscall-exit-stop, then signals.
 */
function* returnToProgram(
  task: Task,
  called: Request | null = null,
  result: unknown = undefined,
): Generator<void, void, void> {
  const isCall = called !== null && !called.call.isAccess
  if (isCall) task.stoppedCall = { request: called, result: result instanceof Thrown ? 0 : (result ?? 0) }
  for (let event = task.events.shift(); event !== undefined; event = task.events.shift()) {
    yield* traceEvent(task, event.event, event.message)
    if (event.event === PTRACE_EVENT_VFORK) {
      yield* waitForVfork(task, event.child!)
      if (!task.killed) yield* traceEvent(task, PTRACE_EVENT_VFORK_DONE, event.message)
    }
    if (event.event === constants.PTRACE_EVENT_EXEC && task.trace?.resume === 'step') trap(task, fromTraceExec)
  }
  if (isCall) yield* stopForCall(task, PTRACE_EVENTMSG_SYSCALL_EXIT)
  if (called !== null && task.trace?.resume === 'step') trap(task, fromTraceStep)
  while (task.signalPending) {
    const delivery = yield* deliver(task)
    if (delivery === 'ended') return
    if (delivery === null) break
    beginHandler(task, delivery)
    task.stoppedCall = null
  }
  task.stoppedCall = null
  endRestart(task)
}

/** Sends the SIGTRAP of a single step. */
function trap(task: Task, code: number): void {
  if (!task.pending.has(SIGTRAP)) sendToTask(task, SIGTRAP, { code, pid: 0, uid: 0 })
}

function beginHandler(task: Task, { signal, action }: Delivery): void {
  const frame = topFrame(task)
  if (frame !== undefined && isRestart(frame.value)) {
    const again = frame.value === restartOrEintr && action.restart
    frame.value = again ? undefined : -EINTR
    if (!again) frame.request = null
  }
  task.kernel.trace.handling?.(task, signal)
  const before = task.mask.copy()
  task.mask.addAll(action.mask)
  if (!action.noDefer) task.mask.add(signal)
  recalculateSignalPending(task)
  task.frames.push(newFrame((action.handler as HandlerCode)(task, signal), before))
}

/** No handler ran: an interrupted call is restarted. */
function endRestart(task: Task): void {
  const frame = topFrame(task)
  if (frame !== undefined && isRestart(frame.value)) frame.value = undefined
}

/** Begins work that may pause in the middle and go on in a later step. */
function beginWork(task: Task, generator: Generator<void, void, void>): void {
  task.work = generator
  continueWork(task)
}

function continueWork(task: Task): void {
  if (task.work!.next().done) task.work = null
}

/** Runs the program's code up to its next call. */
function advance(task: Task): void {
  const frame = topFrame(task)!
  const { value } = frame
  frame.value = undefined
  const { kernel } = task
  kernel.offered = null
  let next: IteratorResult<unknown, unknown>
  try {
    next = value instanceof Thrown ? frame.code.throw(value.error) : frame.code.next(value)
  } catch (error) {
    crash(task, wrongFailure(task, error))
    return
  }
  const { done, value: yielded } = next
  if (!done && kernel.offered === yielded) kernel.offered = null
  const wrong = kernel.offered !== null ? wrongStep(task) : done ? undefined : wrongYield(task, yielded)
  if (wrong !== undefined) crash(task, wrong)
  else if (!done) frame.request = yielded as Request
  else if (frame.maskBefore !== null) leaveHandler(task, frame.maskBefore)
  else endCode(task, frame, yielded)
}

/** The program's code has returned. Its end is its last call. */
function endCode(task: Task, frame: Frame, value: unknown): void {
  const wrong = wrongEnd(task, value)
  if (wrong !== undefined) crash(task, wrong)
  else frame.request = { call: exiting, args: [value ?? 0], act: () => endProgram(task, value) }
}

/** A handler has returned: restores the signal mask, and the interrupted code goes on. */
function leaveHandler(task: Task, mask: NonNullable<Frame['maskBefore']>): void {
  task.frames.pop()
  task.mask = mask
  recalculateSignalPending(task)
}

/** The end of the leader's code ends the process; the end of another thread's code only that thread. */
function endProgram(task: Task, value: unknown): number {
  const code = ((typeof value === 'number' ? value : 0) & 0xff) << 8
  task.frames.length = 0
  task.returned = value
  if (task.isLeader) killThreads(task.process, code)
  else task.ending = code
  task.signalPending = true
  return 0
}

/** An uncaught error ends the process as abort(3) does. */
function crash(task: Task, error: unknown): void {
  task.kernel.crashed(task.process, error)
  task.frames.length = 0
  killThreads(task.process, SIGABRT)
}

/** Delivers signals to the host, which has no handlers: they stop it or end it. */
export function* deliverToHost(task: Task): Generator<void, void, void> {
  while (task.signalPending) {
    if ((yield* deliver(task)) === null) return
    if (task.exiting) return
  }
}
