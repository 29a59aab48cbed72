/** Who waits for whom, and on what: said when nothing can go on. */

import { DeadlockError } from '../system/errors.ts'
import { Epoll } from './files/epoll.ts'
import type { OpenFile } from './files/open-file.ts'
import type { Kernel } from './kernel.ts'
import type { Task } from './processes/task.ts'
import type { WaitReason } from './wait.ts'

/** A task that cannot go on by itself. */
export interface Blocked {
  readonly pid: number
  readonly tid: number
  /** '101 (/bin/cat)'. */
  readonly name: string
  /** What it waits on: the kind of wait, or 'stopped' and 'traced' for what somebody else has to end. */
  readonly on: WaitReason['on'] | 'stopped' | 'traced'
  /** A sentence's end: 'waits to read the read end of pipe 3 (fd 0), whose other end 100 (host) holds as fd 4'. */
  readonly description: string
  /** The processes that could end the wait, by number. */
  readonly waitsFor: readonly number[]
}

/** Every task that waits, the host included. */
export function blockedTasks(kernel: Kernel): Blocked[] {
  const found: Blocked[] = []
  for (const task of kernel.tasks.values()) {
    if (task.process === kernel.init || task.process === kernel.shell) continue
    const description = describe(kernel, task)
    if (description === undefined) continue
    found.push({ pid: task.process.id, tid: task.tid, name: task.label, ...description })
  }
  return found
}

/** The error of a host call that can never end. */
export function deadlockError(kernel: Kernel): DeadlockError {
  const lines = blockedTasks(kernel).map(({ name, description }) => `  ${name} ${description}`)
  return new DeadlockError(['deadlock: nobody can go on', ...lines].join('\n'))
}

type Description = Pick<Blocked, 'on' | 'description' | 'waitsFor'>

function describe(kernel: Kernel, task: Task): Description | undefined {
  if (task.state === 'stopped') return { on: 'stopped', description: 'is stopped, until a SIGCONT', waitsFor: [] }
  if (task.state === 'traced') {
    const tracer = task.trace!.tracer.process
    return {
      on: 'traced',
      description: `is in a ptrace stop, until ${tracer.name} lets it go on`,
      waitsFor: [tracer.id],
    }
  }
  return task.wait === null ? undefined : describeWait(kernel, task, task.wait.reason)
}

function describeWait(kernel: Kernel, task: Task, reason: WaitReason): Description {
  const { on } = reason
  switch (on) {
    case 'child': {
      const children = task.process.children.filter(({ id }) => reason.pid <= 0 || id === reason.pid)
      const names = children.map(({ name }) => name).join(', ')
      return { on, description: `waits for a child (${names || reason.pid})`, waitsFor: children.map(({ id }) => id) }
    }
    case 'signal':
      return { on, description: 'waits for a signal', waitsFor: [] }
    case 'sleep':
      return { on, description: `sleeps until ${reason.deadline} ms`, waitsFor: [] }
    case 'poll':
    case 'epoll': {
      const files = on === 'poll' ? reason.files : reason.file instanceof Epoll ? reason.file.watched : []
      const parts = files.map(file => fileWithHolders(kernel, task, file))
      const text = parts.map(part => part.text).join(' or ')
      return {
        on,
        description: `waits in ${on} for ${text || 'nothing'}`,
        waitsFor: parts.flatMap(part => part.holders),
      }
    }
    default: {
      const { text, holders } = fileWithHolders(kernel, task, reason.file)
      const verb = on === 'pipe-write' || on === 'socket-write' ? 'write' : 'read'
      return { on, description: `waits to ${verb} ${text}`, waitsFor: holders }
    }
  }
}

function fileWithHolders(kernel: Kernel, task: Task, file: OpenFile): { text: string; holders: number[] } {
  const own = [...task.process.descriptors.entries()].find(([, open]) => open === file)
  const name = own === undefined ? file.description : `${file.description} (fd ${own[0]})`
  const { counterpart } = file
  if (counterpart === undefined) return { text: name, holders: [] }
  const holders: number[] = []
  const places: string[] = []
  for (const process of kernel.processes.values()) {
    const fds = [...process.descriptors.entries()].filter(([, open]) => open === counterpart).map(([fd]) => fd)
    if (fds.length === 0) continue
    holders.push(process.id)
    places.push(`${process.name} holds as fd ${fds.join(' and ')}`)
  }
  return { text: `${name}, whose other end ${places.join(' and ') || 'nobody holds'}`, holders }
}
