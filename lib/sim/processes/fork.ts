/** New processes and threads, clone(2). */

import type { ChildProgram } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { runChildProgram } from '../calls/child-program-interpreter.ts'
import type { Program } from '../programs/program.ts'
import { defaultAction, Process, type SignalAction } from './process.ts'
import { hasEvent } from './ptrace-stop.ts'
import type { Frame } from './task.ts'
import { Task } from './task.ts'
import { inheritTrace } from './tracing.ts'

const { PTRACE_EVENT_FORK, PTRACE_EVENT_CLONE } = constants

/** The place on a task's stack of a program that has not begun. */
export function newFrame(code: Generator<unknown, unknown, unknown>, maskBefore: Frame['maskBefore'] = null): Frame {
  return { code, request: null, value: undefined, maskBefore }
}

/** fork(2), and a child program to run: its pid. */
export function forkChildProgram(parent: Task, program: ChildProgram): number {
  const child = newProcess(parent)
  // A handler of the parent's is no use to the child, and what the parent ignores the program is not to ignore.
  child.process.actions.clear()
  child.frames.push(newFrame(runChildProgram(child, parent.process, asItIsNow(program))))
  return begin(parent, child, PTRACE_EVENT_FORK)
}

/** The child has a copy of the bytes to write: what becomes of them in the parent is no concern of it. */
function asItIsNow(program: ChildProgram): ChildProgram {
  const actions = program.actions.map(action =>
    action.op === 'write' ? { ...action, data: action.data.slice() } : action,
  )
  return { ...program, actions }
}

/** fork(2) in a simulated program: the child goes on with a program of its own. */
export function forkProgram(parent: Task, program: Program): number {
  const child = newProcess(parent)
  child.mask = parent.mask.copy()
  child.frames.push(newFrame(program(parent.kernel.viewOf(child))))
  return begin(parent, child, PTRACE_EVENT_FORK)
}

/** clone(2) of a thread. */
export function newThread(parent: Task, program: Program): number {
  const { kernel, process } = parent
  const task = new Task(kernel, kernel.newPid(), process, parent.parentTask)
  process.tasks.push(task)
  kernel.tasks.set(task.tid, task)
  task.mask = parent.mask.copy()
  task.frames.push(newFrame(program(kernel.viewOf(task))))
  return begin(parent, task, PTRACE_EVENT_CLONE)
}

function newProcess(parent: Task): Task {
  const { kernel, process } = parent
  const child = new Process(kernel, kernel.newPid(), process, process.descriptors.clone(), process.image)
  for (const [signal, action] of process.actions) child.actions.set(signal, inherited(action))
  const task = new Task(kernel, child.id, child, parent)
  child.leader = task
  child.isFork = true
  child.tasks.push(task)
  process.children.push(child)
  kernel.processes.set(child.id, child)
  kernel.tasks.set(task.tid, task)
  return task
}

function inherited(action: SignalAction): SignalAction {
  return action.handler === 'default' ? defaultAction : action
}

function begin(parent: Task, child: Task, event: number): number {
  if (hasEvent(parent, event)) {
    inheritTrace(child, parent)
    parent.events.push({ event, message: child.tid })
  }
  parent.kernel.touch(child.process)
  parent.kernel.touchNumbers()
  parent.kernel.observer?.({ kind: 'fork', task: parent, child })
  parent.kernel.order?.forked(parent, child)
  parent.kernel.makeRunnable(child)
  return child.tid
}
