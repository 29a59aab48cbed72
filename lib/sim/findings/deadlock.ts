/** Who waits for whom, and on what: said when nothing can go on. */

import { DeadlockError } from '../../system/errors.ts'
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

/** A file somebody waits on, and who could end that. */
export interface AwaitedFile {
  /** 'the read end of pipe 3'. */
  readonly file: string
  /** The waiting process's descriptor of it; undefined when it has none any more. */
  readonly fd: number | undefined
  /** The descriptor of it that the waiting process had, where that was closed meanwhile: in which millisecond, and by which thread. */
  readonly closed: { readonly fd: number; readonly at: number; readonly by: string } | undefined
  /** What the holders hold: 'the write end of pipe 3'; undefined for a file that has no other end. */
  readonly otherEnd: string | undefined
  /** The processes that could bring the wait to an end. */
  readonly holders: readonly { readonly pid: number; readonly name: string; readonly fds: readonly number[] }[]
}

/** A task that cannot go on by itself. */
export interface Blocked {
  /** The process that waits. */
  readonly pid: number
  /** The thread of it that waits. */
  readonly tid: number
  /** '101 (/bin/cat)'. */
  readonly name: string
  /** What it waits on: the kind of wait, or 'stopped' and 'traced' for what somebody else has to end. */
  readonly on: WaitReason['on'] | 'stopped' | 'traced'
  /** The host awaits it on the event loop; else it is in a blocked call, or stopped. */
  readonly awaited: boolean
  /** The files it waits on; none for waits of another kind. */
  readonly files: readonly AwaitedFile[]
  /** A sentence's end: 'waits to read the read end of pipe 3 (fd 0), whose other end 100 (host) holds as fd 4'. */
  readonly description: string
  /** The processes that could end the wait, by number. */
  readonly waitsFor: readonly number[]
}

/** Everybody who waits, for whom, and how it came to be. */
export interface WaitGraph {
  /** One entry for each task that waits. */
  readonly waits: readonly Blocked[]
  /** Processes each of which waits for the next, and the last for the first; empty where the waits have an end that nobody can bring about. */
  readonly cycle: readonly number[]
  /** What was closed, killed or stopped, and led to these waits. */
  readonly causes: readonly WaitCause[]
}

/** A {@link DeadlockError} that knows who waits for whom. */
export class SimulatedDeadlockError extends DeadlockError {
  /** Which task waits, on what and for which others. */
  readonly graph: WaitGraph

  constructor(graph: WaitGraph, host: { readonly pid: number; readonly name: string }) {
    super(describeGraph(graph, host))
    this.graph = graph
  }
}

/** Said of the host where what it awaits is of its own making. */
export const awaitsNothing = 'awaits nothing that the simulated system could bring about'

/** The error of a host call, or of a scenario, that can never end. */
export function deadlockError(kernel: Kernel): SimulatedDeadlockError {
  return new SimulatedDeadlockError(waitGraph(kernel), identityOf(kernel.host))
}

/** Who waits for whom now. */
export function waitGraph(kernel: Kernel): WaitGraph {
  const waits = blockedTasks(kernel)
  return { waits, cycle: cycleOf(waits, kernel.host.process.id), causes: causesOf(kernel) }
}

/** Every task that waits, the host included, with what it awaits on the event loop. */
export function blockedTasks(kernel: Kernel): Blocked[] {
  const found: Blocked[] = []
  for (const task of kernel.tasks.values()) {
    if (task.process === kernel.init || task.process === kernel.shell) continue
    const description = describe(kernel, task)
    if (description !== undefined) found.push({ ...identityOf(task), awaited: false, ...description })
  }
  const { host } = kernel
  if (host.state !== 'running') return found
  for (const { reason } of kernel.loop.awaited) {
    found.push({ ...identityOf(host), awaited: true, ...describeWait(kernel, host, reason, 'awaits') })
  }
  return found
}

/** What becomes of a task that is no zombie: a sentence's end. */
export function describeTask(kernel: Kernel, task: Task): string {
  return describe(kernel, task)?.description ?? 'is still running'
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
  return ['deadlock: nobody can go on', ...lines].join('\n')
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

/** Which stop it is. */
function stopName({ stopSignal }: Task): string {
  if (stopSignal === null) return ''
  // A stop's code is what waitpid(2) tells of it, without the byte that says that it is a stop.
  const status = decodeWaitStatus((stopSignal.origin.code << 8) | 0x7f)
  if (stopSignal.origin.code >> 8 === 0 || status.kind !== 'stopped') return ` (${signalName(stopSignal.signal)})`
  return ` (${status.event ?? `event ${stopSignal.origin.code >> 8}`})`
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
      const writes = on === 'pipe-write' || on === 'socket-write'
      return { on, ...onFiles(kernel, task, [reason.file], writes ? 'waits to write' : 'waits to read') }
    }
  }
}

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

/** The close of a descriptor that one of the process's own calls waits on: the call goes on waiting, as on Linux. */
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
  return `${name}, whose other end ${places.join(' and ') || 'nobody holds'}`
}
