/** The wait-for graph of a deadlock: which task waits on what, and for which processes. */

import { DeadlockError } from '../../system/errors.ts'
import { printable } from '../../system/printable.ts'
import { signalName } from '../../system/signals.ts'
import { decodeWaitStatus } from '../../system/wait-status.ts'
import { Epoll } from '../files/epoll.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { WaitReason } from '../files/wait.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Process } from '../processes/process.ts'
import type { Task } from '../processes/task.ts'
import { causesOf, type WaitCause } from './wait-causes.ts'
import { cycleOf } from './wait-cycle.ts'

/** A file that a task waits on, and the processes that could end the wait. */
export interface AwaitedFile {
  /** 'the read end of pipe 3'. */
  readonly file: string
  /** The waiting process's descriptor of the file; undefined if it has none any more. */
  readonly fd: number | undefined
  /** Its former descriptor, if closed during the wait: at what millisecond of the world's clock, by which thread. */
  readonly closed: { readonly fd: number; readonly at: number; readonly by: string } | undefined
  /** The end that the holders have: 'the write end of pipe 3'; undefined if the file has no other end. */
  readonly otherEnd: string | undefined
  /** The processes that could end the wait. */
  readonly holders: readonly { readonly pid: number; readonly name: string; readonly fds: readonly number[] }[]
}

/** A task that cannot continue by itself. */
export interface Blocked {
  /** The waiting process. */
  readonly pid: number
  /** Its waiting thread. */
  readonly tid: number
  /** '101 (/bin/cat)'. */
  readonly name: string
  /** The kind of wait. 'stopped' and 'traced' are stops that another process must end. */
  readonly on: WaitReason['on'] | 'stopped' | 'traced'
  /** Whether the host awaits it on the event loop. Otherwise the task is in a blocked call, or stopped. */
  readonly awaited: boolean
  /** The files that it waits on; empty for other kinds of wait. */
  readonly files: readonly AwaitedFile[]
  /** The end of a sentence: 'waits to read the read end of pipe 3 (fd 0), whose other end 100 (host) holds as fd 4'. */
  readonly description: string
  /** The processes that could end the wait, by pid. */
  readonly waitsFor: readonly number[]
}

/** Every wait, the processes that each waits for, and the causes. */
export interface WaitGraph {
  /** One entry for each waiting task. */
  readonly waits: readonly Blocked[]
  /**
   * Processes in a cycle, each waiting for the next. Empty if there is none, but only waits that no process can end.
   */
  readonly cycle: readonly number[]
  /** The closes, kills and stops that led to these waits. */
  readonly causes: readonly WaitCause[]
}

/** A {@link DeadlockError} with its wait-for graph. */
export class SimulatedDeadlockError extends DeadlockError {
  /** The waits: of which task, on what, and for which processes. */
  readonly graph: WaitGraph

  constructor(graph: WaitGraph, host: { readonly pid: number; readonly name: string }) {
    super(describeGraph(graph, host))
    this.graph = graph
  }
}

/** The description of a host that awaits only events of its own. */
export const awaitsNothing = 'awaits nothing that could happen in the simulated system'

/** The error of a host call or scenario that can never end. */
export function deadlockError(kernel: Kernel): SimulatedDeadlockError {
  return new SimulatedDeadlockError(waitGraph(kernel), identityOf(kernel.host))
}

/** The current wait-for graph. */
export function waitGraph(kernel: Kernel): WaitGraph {
  const waits = blockedTasks(kernel)
  return { waits, cycle: cycleOf(waits, kernel.host.process.id), causes: causesOf(kernel) }
}

/** Every waiting task, and the host's waits on the event loop. */
export function blockedTasks(kernel: Kernel): Blocked[] {
  const found: Blocked[] = []
  for (const task of kernel.tasks.values()) {
    if (task.process === kernel.init || task.process === kernel.shell) continue
    const state = describe(kernel, task)
    if (state === undefined) continue
    found.push({ ...identityOf(task), awaited: false, ...state, description: state.description + notRun(task) })
  }
  const { host } = kernel
  if (host.state !== 'running') return found
  for (const { reason } of kernel.loop.awaited) {
    found.push({ ...identityOf(host), awaited: true, ...describeWait(kernel, host, reason, 'awaits') })
  }
  return found
}

/** The state of a task that is no zombie, as the end of a sentence. */
export function describeTask(kernel: Kernel, task: Task): string {
  const found = describe(kernel, task)
  if (found?.on === 'stopped' || found?.on === 'traced') return found.description
  return found === undefined ? 'is still running' : `is still running: it ${found.description}`
}

function describeGraph(
  { waits, cycle, causes }: WaitGraph,
  host: { readonly pid: number; readonly name: string },
): string {
  const nameOf = (pid: number) => waits.find(wait => wait.pid === pid)?.name ?? String(pid)
  const lines = waits.map(({ name, description }) => `  ${name} ${description}`)
  if (waits.every(({ pid }) => pid !== host.pid)) lines.unshift(`  ${host.name} ${awaitsNothing}`)
  if (cycle.length === 1) lines.push(`  so ${nameOf(cycle[0]!)} waits for itself`)
  else if (cycle.length > 1) {
    const [first, ...others] = [...cycle, cycle[0]!].map(nameOf)
    lines.push(`  so ${first} waits for ${others.join(', which waits for ')}`)
  }
  for (const { description } of causes) lines.push(`  ${description}`)
  return ['deadlock: no task can continue', ...lines.map(printable)].join('\n')
}

function identityOf(task: Task): Pick<Blocked, 'pid' | 'tid' | 'name'> {
  return { pid: task.process.id, tid: task.tid, name: task.label }
}

type Description = Pick<Blocked, 'on' | 'files' | 'description' | 'waitsFor'>

function describe(kernel: Kernel, task: Task): Description | undefined {
  if (task.state === 'stopped') {
    const { stopCause } = task.process
    const by = stopCause === null ? '' : ` by ${stopCause.signal}`
    return { on: 'stopped', files: [], description: `is stopped${by}, until a SIGCONT`, waitsFor: [] }
  }
  if (task.state === 'traced') {
    const tracer = task.trace!.tracer.process
    return {
      on: 'traced',
      files: [],
      description: `is in a ptrace stop${stopName(task)}, until ${tracer.name} lets it go on`,
      waitsFor: [tracer.id],
    }
  }
  return task.wait === null ? undefined : describeWait(kernel, task, task.wait.reason, 'waits')
}

/** A call that was made and never run often is what another process waits for. */
function notRun({ unbegun: [method] }: Task): string {
  return method === undefined ? '' : `, and has not run the call ${method}() that it made, perhaps without yield*`
}

/** The name of a task's stop. */
function stopName({ stopInfo }: Task): string {
  if (stopInfo === null) return ''
  // The stop's code is the wait status without its low byte, 0x7f.
  const status = decodeWaitStatus((stopInfo.origin.code << 8) | 0x7f)
  if (stopInfo.origin.code >> 8 === 0 || status.kind !== 'stopped') return ` (${signalName(stopInfo.signal)})`
  return ` (${status.event ?? `event ${stopInfo.origin.code >> 8}`})`
}

function describeWait(kernel: Kernel, task: Task, reason: WaitReason, verb: 'waits' | 'awaits'): Description {
  const { on } = reason
  switch (on) {
    case 'child': {
      const children = task.process.children.filter(({ id }) => reason.pid <= 0 || id === reason.pid)
      const names = children.map(({ name, tasks }) => (tasks.length > 0 ? name : `${name}, a zombie`)).join(', ')
      const what = `${verb === 'waits' ? 'waits for' : 'awaits news of'} a child`
      const waitsFor = children.map(({ id }) => id)
      return {
        on,
        files: [],
        description: `${what} (${names || (reason.pid > 0 ? reason.pid : 'it has none')})`,
        waitsFor,
      }
    }
    case 'thread':
      return { on, files: [], description: `waits for the end of thread ${reason.tid}`, waitsFor: [] }
    case 'exec':
      return { on, files: [], description: `waits in execve for the end of ${threads(reason.tids)}`, waitsFor: [] }
    case 'vfork':
      return {
        on,
        files: [],
        description: `waits in vfork for the exec or the end of its child ${reason.pid}`,
        waitsFor: [reason.pid],
      }
    case 'signal':
      return { on, files: [], description: 'waits for a signal', waitsFor: [] }
    case 'sleep':
      return { on, files: [], description: `sleeps until ${reason.deadline} ms`, waitsFor: [] }
    case 'poll':
    case 'epoll': {
      const watched = on === 'poll' ? reason.files : reason.file instanceof Epoll ? reason.file.watched : []
      const how = verb === 'awaits' ? 'awaits readiness of' : `waits in ${on} for`
      return { on, ...onFiles(kernel, task, watched, how) }
    }
    default: {
      const writes = on === 'pipe-write' || on === 'socket-write' || on === 'external-write'
      return { on, ...onFiles(kernel, task, [reason.file], writes ? 'waits to write' : 'waits to read') }
    }
  }
}

const threads = (tids: readonly number[]) => `${tids.length === 1 ? 'thread' : 'threads'} ${tids.join(', ')}`

function onFiles(kernel: Kernel, task: Task, watched: readonly OpenFile[], how: string): Omit<Description, 'on'> {
  const files = watched.map(file => awaitedFile(kernel, task.process, file))
  return {
    files,
    description: `${how} ${files.map(describeFile).join(' or ') || 'nothing'}`,
    waitsFor: [...new Set(files.flatMap(({ holders }) => holders.map(({ pid }) => pid)))],
  }
}

function awaitedFile(kernel: Kernel, waiter: Process, file: OpenFile): AwaitedFile {
  const { counterpart } = file
  const holders: AwaitedFile['holders'][number][] = []
  for (const process of counterpart === undefined ? [] : kernel.processes.values()) {
    const fds = process.descriptors.numbersOf(counterpart!)
    if (fds.length > 0) holders.push({ pid: process.id, name: process.name, fds })
  }
  const [fd] = waiter.descriptors.numbersOf(file)
  const closed = fd === undefined ? closedBy(waiter, file) : undefined
  return { file: file.description, fd, closed, otherEnd: counterpart?.description, holders }
}

/** The close of a descriptor on which the same process waits in a call. The call continues to wait, as on Linux. */
function closedBy(waiter: Process, { lastClose }: OpenFile): AwaitedFile['closed'] {
  if (lastClose === null || lastClose.process !== waiter) return undefined
  const { fd, at, by } = lastClose
  return { fd, at, by: by.label }
}

function describeFile({ file, fd, closed, otherEnd, holders }: AwaitedFile): string {
  const name =
    closed !== undefined
      ? `${file} (descriptor ${closed.fd}, which was closed at ${closed.at} ms by ${closed.by})`
      : fd === undefined
        ? file
        : `${file} (fd ${fd})`
  if (otherEnd === undefined) return name
  const places = holders.map(holder => `${holder.name} holds as fd ${holder.fds.join(' and ')}`)
  return `${name}, whose other end ${places.join(' and ') || 'no process holds'}`
}
