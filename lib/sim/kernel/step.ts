/** One step of a task: a system call carried out, what is due after it, and the program's own work up to its next call. */

import { constants } from '../../system/constants.ts'
import { blocked, EINTR, isRestart, restartOrEintr } from '../base/results.ts'
import { SIGABRT, SIGTRAP } from '../base/signal-numbers.ts'
import { type Delivery, deliver } from '../processes/delivery.ts'
import { newFrame } from '../processes/fork.ts'
import { fromTraceExec, fromTraceStep } from '../processes/pending-signals.ts'
import type { HandlerCode } from '../processes/process.ts'
import { stopForCall, traceEvent } from '../processes/ptrace-stop.ts'
import { killThreads, recalculateSignalPending, sendToTask } from '../processes/signals.ts'
import type { CallRow, Frame, Request, Task } from '../processes/task.ts'
import { tryAgain } from './retry.ts'

/** What a program yields that is no call: it lets others step. */
const rest: Request = { call: { name: 'sched_yield' }, args: [], act: () => 0 }

/** What the end of a program is to those who watch. */
const exiting: CallRow = { name: 'exit' }

/** Lets a task that runs take its step. */
export function step(task: Task): void {
  if (task.work !== null) continueWork(task)
  else if (task.wait !== null) finish(task, tryAgain(task))
  else if (task.signalPending && deliversFirst(task)) work(task, comeFromCall(task))
  else makeCall(task)
}

/** A signal that comes while a call is about to begin is delivered before it, or is what the call finds pending. */
function deliversFirst(task: Task): boolean {
  const { request } = topFrame(task) ?? { request: null }
  if (request === null || task.process.groupExit !== null) return true
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
  if (task.trace?.resume === 'syscall') work(task, tracedCall(task, request))
  else finish(task, act(task, frame, request))
}

/** Carries out a call; what it throws (an argument of a wrong type) is the program's. */
function act(task: Task, frame: Frame, request: Request): unknown {
  try {
    return task.kernel.perform(task, request.call, request.act, request.args)
  } catch (error) {
    frame.request = { ...request, act: () => 0 }
    return new Thrown(error)
  }
}

/** An error that a call threw, on its way to the program. */
class Thrown {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

/** A call is done, or blocked. */
function finish(task: Task, result: unknown): void {
  if (result === blocked) return
  const resume = task.trace?.resume ?? 'cont'
  if (task.signalPending || task.events.length > 0 || resume !== 'cont' || isRestart(result)) {
    settleCall(task, result)
    work(task, comeFromCall(task, true))
  } else {
    settleCall(task, result)
    advance(task)
  }
}

/** Leaves a call's result for the program. An exec or an exit has left no program to take it. */
function settleCall(task: Task, result: unknown): void {
  const frame = topFrame(task)
  if (frame === undefined || frame.request === null) return
  frame.value = result
  if (!isRestart(result)) frame.request = null
}

/** A call with stops at its entry and its exit; the exit's is part of coming from it. */
function* tracedCall(task: Task, request: Request): Generator<void, void, void> {
  yield* stopForCall(task)
  recalculateSignalPending(task)
  const frame = topFrame(task)!
  let result = act(task, frame, request)
  while (result === blocked) {
    yield
    result = tryAgain(task)
  }
  settleCall(task, result)
  yield* comeFromCall(task, true)
}

/** All that happens between a call and the program: events, the exit's stop, signals; then the program goes on in the next step. */
function* comeFromCall(task: Task, fromCall = false): Generator<void, void, void> {
  for (let event = task.events.shift(); event !== undefined; event = task.events.shift()) {
    yield* traceEvent(task, event.event, event.message)
    if (event.event === constants.PTRACE_EVENT_EXEC && task.trace?.resume === 'step') trap(task, fromTraceExec)
  }
  if (fromCall) {
    yield* stopForCall(task)
    if (task.trace?.resume === 'step') trap(task, fromTraceStep)
  }
  while (task.signalPending) {
    const delivery = yield* deliver(task)
    if (delivery === 'ended') return
    if (delivery === null) break
    beginHandler(task, delivery)
  }
  endRestart(task)
}

/** The signal of a single step. */
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

/** No handler ran: the call is made again. */
function endRestart(task: Task): void {
  const frame = topFrame(task)
  if (frame !== undefined && isRestart(frame.value)) frame.value = undefined
}

/** Begins work that may stop in the middle. */
function work(task: Task, generator: Generator<void, void, void>): void {
  task.work = generator
  continueWork(task)
}

function continueWork(task: Task): void {
  if (task.work!.next().done) task.work = null
}

/** Runs the program up to its next call. */
function advance(task: Task): void {
  const frame = topFrame(task)!
  const { value } = frame
  frame.value = undefined
  let next: IteratorResult<unknown, unknown>
  try {
    next = value instanceof Thrown ? frame.code.throw(value.error) : frame.code.next(value)
  } catch (error) {
    crash(task, error)
    return
  }
  if (!next.done) frame.request = isRequest(next.value) ? next.value : rest
  else if (frame.maskBefore !== null) leaveHandler(task, frame.maskBefore)
  else frame.request = { call: exiting, args: [next.value ?? 0], act: () => endProgram(task, next.value) }
}

function isRequest(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && 'act' in value
}

/** A handler has returned: the code it interrupted goes on. */
function leaveHandler(task: Task, mask: NonNullable<Frame['maskBefore']>): void {
  task.frames.pop()
  task.mask = mask
  recalculateSignalPending(task)
}

/** A program's end ends the process; a thread's only itself. */
function endProgram(task: Task, value: unknown): number {
  const code = ((typeof value === 'number' ? value : 0) & 0xff) << 8
  task.frames.length = 0
  if (task.isLeader) killThreads(task.process, code)
  else task.ending = code
  task.signalPending = true
  return 0
}

/** An error that nobody caught ends the process as abort(3) does. */
function crash(task: Task, error: unknown): void {
  task.kernel.crashed(task.process, error)
  task.frames.length = 0
  killThreads(task.process, SIGABRT)
}

/** What is due for the host, which has no handlers: stops and its end. */
export function* deliverToHost(task: Task): Generator<void, void, void> {
  while (task.signalPending) {
    if ((yield* deliver(task)) === null) return
    if (task.exiting) return
  }
}
