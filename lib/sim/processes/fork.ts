/** New processes and threads, clone(2). */

import { constants } from '../../system/constants.ts'
import { joinGroupStop } from './job-control.ts'
import { defaultAction, Process, type SignalAction } from './process.ts'
import { hasEvent } from './ptrace-stop.ts'
import { type Code, newFrame, Task } from './task.ts'
import { inheritTrace } from './tracing.ts'

const { PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE } = constants

/** fork(2) in a simulated program. A generator cannot be copied, so the child runs the code it is given. */
export function forkProgram(parent: Task, code: Code): number {
  return begin(parent, newProgram(parent, code), PTRACE_EVENT_FORK)
}

/** vfork(2): as {@link forkProgram}, and the parent sleeps until the child execs or ends. */
export function vforkProgram(parent: Task, code: Code): number {
  const child = newProgram(parent, code)
  child.vforkParent = parent
  return begin(parent, child, PTRACE_EVENT_VFORK)
}

function newProgram(parent: Task, code: Code): Task {
  const child = newProcess(parent)
  child.mask = parent.mask.copy()
  child.frames.push(newFrame(code(child)))
  return child
}

/** clone(2) of a thread. */
export function newThread(parent: Task, code: Code): number {
  const { kernel, process } = parent
  const task = new Task(kernel, kernel.newPid(), process, parent.parentTask)
  // May throw, before anything is made: what is no generator function ends the parent at its call.
  const frame = newFrame(code(task))
  process.tasks.push(task)
  process.unreaped.push(task)
  kernel.tasks.set(task.tid, task)
  task.mask = parent.mask.copy()
  joinGroupStop(task, parent)
  task.frames.push(frame)
  return begin(parent, task, PTRACE_EVENT_CLONE)
}

/** A copy of the parent's process, with one thread that has no code yet. */
export function newProcess(parent: Task): Task {
  const { kernel, process } = parent
  const child = new Process(kernel, kernel.newPid(), process, process.descriptors.clone(), process.image)
  for (const [signal, action] of process.actions) child.actions.set(signal, inherited(action))
  const task = new Task(kernel, child.id, child, parent)
  child.leader = task
  child.isFork = true
  child.tasks.push(task)
  child.unreaped.push(task)
  process.children.push(child)
  kernel.processes.set(child.id, child)
  kernel.tasks.set(task.tid, task)
  return task
}

function inherited(action: SignalAction): SignalAction {
  return action.handler === 'default' ? defaultAction : action
}

/** Makes a new process or thread runnable; its number, which is the result of the call. */
export function begin(parent: Task, child: Task, event: number): number {
  const isTraced = hasEvent(parent, event)
  if (isTraced) inheritTrace(child, parent)
  // After a vfork its wait comes next, with an event before it or without.
  if (isTraced || event === PTRACE_EVENT_VFORK) parent.events.push({ event, message: child.tid, child })
  parent.kernel.trace.forked?.(parent, child)
  parent.kernel.makeRunnable(child)
  return child.tid
}
