/** Records the events of a kernel's tracepoints as a timeline. */

import { SystemError } from '../../system/errors.ts'
import { signalName } from '../../system/signals.ts'
import type { WaitResult } from '../../system/system.ts'
import { blocked, isFailure, isRestart } from '../base/results.ts'
import { SIGABRT, SIGCHLD, SIGCONT } from '../base/signal-numbers.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { Awaited } from '../kernel/awaited.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probes } from '../kernel/tracepoints.ts'
import type { Task } from '../processes/task.ts'
import { describeCall, describeFirstStep, describeResult, type ObservedCall } from './describe-call.ts'
import { describeExit, describeStop } from './describe-stop.ts'
import type { TimelineArrow, TimelineColumn, TimelineEventKind } from './parts.ts'
import { Passages, type Written } from './passages.ts'
import { type Draft, tidy } from './tidy.ts'
import { Timeline } from './timeline.ts'

/** An event, as a mark's condition sees it. */
export interface RecordedEvent {
  /** What happened: a call, its result, a stop … */
  readonly kind: TimelineEventKind
  /** Its call. */
  readonly call?: ObservedCall | undefined
  /** The call's result or negative errno. */
  readonly result?: unknown
  /** What the host awaits, or has awaited. */
  readonly awaited?: { readonly fd?: number | undefined } | undefined
  /** Name of the errno of a failed await. */
  readonly code?: unknown
}

/** A mark of a finding, and the event to put it on. */
export interface TimelineMark {
  /** 'race', 'deadlock', 'leak', 'error' … */
  readonly kind: string
  /** Its text. */
  readonly text: string
  /** The event's thread; a process's first thread has its pid. */
  readonly tid: number
  /** The event: {@link TimelineRecorder.position} right after it. Without this, the thread's last event. */
  readonly position?: number
  /** Selects the thread's last event with this kernel object (a file, a cell). */
  readonly object?: number
  /** With {@link object}: selects its nth event, 1-based, counting those of every thread. */
  readonly nth?: number
  /** Selects the thread's last event that satisfies this condition, if there is one. */
  readonly where?: (event: RecordedEvent) => boolean
  /** Text of an event to add at the end if no event matches: not every wait begins with an event. */
  readonly otherwise?: string
  /** Pids of the processes that the thread waits for; arrows show them. */
  readonly waitsFor?: readonly number[]
}

/** A call that has not returned. */
interface OpenCall extends ObservedCall {
  readonly event: number
  readonly file: OpenFile | undefined
  readonly written: Written | undefined
}

/** A column as it is recorded. */
interface Column extends TimelineColumn {
  readonly task: Task
  /** Description of its first step. */
  readonly firstStep: string
}

const reading: ReadonlySet<string> = new Set(['read', 'recv', 'recvmsg'])
const writing: ReadonlySet<string> = new Set(['write', 'send', 'sendmsg'])
const resuming: ReadonlySet<string> = new Set(['ptraceCont', 'ptraceStep', 'ptraceSyscall', 'ptraceDetach'])
const onFirstFd: ReadonlySet<string> = new Set(
  [...reading, ...writing].concat(['shutdown', 'close', 'dup', 'fcntl', 'ioctl', 'epoll_wait', 'epoll_ctl', 'ppoll']),
)

/**
 * Records a kernel from the recorder's creation to {@link finish}.
 *
 * @example
 * const recorder = new TimelineRecorder(kernel)
 * // … the run …
 * console.log(String(recorder.finish()))
 */
export class TimelineRecorder {
  readonly #kernel: Kernel
  readonly #columns: Column[] = []
  readonly #columnOf = new Map<Task, number>()
  readonly #drafts: Draft[] = []
  readonly #calls = new Map<Task, OpenCall>()
  readonly #passages = new Passages()
  readonly #awaits = new Map<Awaited, number>()
  /** Descriptors whose file has already been named, by column. */
  readonly #introduced = new Set<string>()
  /** Index of the latest event, to which signals, forks and closes are attributed. */
  #under = -1
  readonly #probes: Probes = {
    calling: (task, { name, method }, args) => this.#begin(task, { name, method, args }),
    answered: (task, result) => this.#answer(task, result),
    signalSent: ({ process }, signal) => {
      if (this.#under >= 0) this.#passages.sent(process, signal, this.#under)
      if (signal === SIGCONT) this.#passages.letGo(process, this.#under)
    },
    handling: (task, signal) => {
      const event = this.#add(task, 'signal', `${signalName(signal)} handler`)
      this.#passages.taken(task.process, signal, event)
    },
    parked: (task, state, code) => {
      if (state === 'zombie') this.#passages.news(task.tid, this.#add(task, 'exit', 'ended', { isEnd: true }))
      else this.#stop(task, code, state === 'traced')
    },
    goesOn: task => {
      if (!task.killed) this.#passages.goes(task, this.#add(task, 'go', 'goes on'))
    },
    executed: task => this.#add(task, 'exec', `exec ${task.process.image.path}`),
    forked: (parent, child) => this.#addColumn(child, this.#under, describeFirstStep(this.#calls.get(parent)?.args[0])),
    exiting: (task, status) => this.#exit(task, status),
    finished: file => this.#passages.finished(file, this.#under),
    faulted: (task, what) => this.#fault(task, what),
    awaiting: awaited => this.#await(awaited),
    settling: awaited => this.#settle(awaited),
    rejecting: (awaited, reason) => this.#reject(awaited, reason),
  }

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#addColumn(kernel.host, undefined)
    kernel.trace.attach(this.#probes)
  }

  /** Number of events so far, begun calls included. */
  get position(): number {
    return this.#drafts.length
  }

  /** Stops recording; the timeline so far, with a finding's marks. */
  finish(marks: readonly TimelineMark[] = []): Timeline {
    this.#kernel.trace.detach(this.#probes)
    for (const mark of marks) this.#mark(mark)
    const waits = marks.flatMap(mark => this.#waitsOf(mark))
    for (const column of this.#columns.slice(1)) this.#addNext(column)
    const columns = this.#columns.map(({ task, firstStep: _, ...column }) => ({
      ...column,
      tid: task.tid,
      name: task === this.#kernel.host ? 'host' : nameOf(task),
    }))
    return new Timeline(tidy(columns, this.#drafts, [...this.#passages.arrows, ...waits]))
  }

  /** Adds the next call of a task that could have gone on. */
  #addNext({ task, firstStep }: Column): void {
    if (task.state !== 'runnable' || task.work !== null || task.exiting) return
    const open = this.#calls.get(task)
    const request = task.frames.at(-1)?.request
    const hasBegun = this.#drafts.some(({ column }) => column === this.#columnOf.get(task))
    let text = hasBegun ? 'goes on' : firstStep
    if (open !== undefined) text = `wakes in ${this.#drafts[open.event]!.text}`
    else if (request) {
      const { name, method } = request.call
      text = describeCall({ name, method, args: request.args }, this.#fds(task))
    }
    this.#add(task, 'next', `(next: ${text})`)
  }

  #mark(mark: TimelineMark): void {
    const found = this.#drafts[this.#find(mark)]
    if (found === undefined) return
    const { kind, text } = mark
    const before = found.mark?.kind === kind ? found.mark.text : text
    found.mark = { kind, text: before === text ? text : `${before}; ${text}` }
  }

  #find({ tid, position, object, nth, where, otherwise }: TimelineMark): number {
    if (position !== undefined) return position - 1
    if (object !== undefined && nth !== undefined) {
      const uses = [...this.#drafts.keys()].filter(index => this.#drafts[index]!.objects.includes(object))
      return uses[nth - 1] ?? -1
    }
    const ofThread = (draft: Draft) =>
      this.#columns[draft.column]!.task.tid === tid &&
      draft.kind !== 'next' &&
      (object === undefined || draft.objects.includes(object))
    const found = where === undefined ? -1 : this.#drafts.findLastIndex(draft => ofThread(draft) && where(draft))
    if (found >= 0) return found
    const column = this.#columns.find(({ task }) => task.tid === tid)
    if (otherwise === undefined || column === undefined) return this.#drafts.findLastIndex(ofThread)
    // Two marks of one thread may have the same text.
    const said = this.#drafts.findLastIndex(draft => ofThread(draft) && draft.text === otherwise)
    return said >= 0 ? said : this.#add(column.task, 'blocked', otherwise)
  }

  #waitsOf(mark: TimelineMark): TimelineArrow[] {
    const from = this.#find(mark)
    if (from < 0) return []
    const ends = (mark.waitsFor ?? []).map(pid =>
      this.#drafts.findLastIndex(({ column }) => this.#columns[column]!.pid === pid),
    )
    return ends.filter(to => to >= 0).map(to => ({ from, to, kind: 'waits', label: 'waits for' }))
  }

  #addColumn(task: Task, bornAt: number | undefined, firstStep = ''): void {
    this.#columnOf.set(task, this.#columns.length)
    this.#columns.push({ pid: task.process.id, tid: task.tid, name: '', bornAt, task, firstStep })
  }

  /** Adds an event, to which later signals, forks and closes are attributed. */
  #add(task: Task, kind: TimelineEventKind, text: string, more: Partial<Draft> = {}): number {
    const column = this.#columnOf.get(task)!
    const atMs = this.#kernel.clock.now()
    this.#under = this.#drafts.length
    this.#drafts.push({ column, kind, text, atMs, mark: undefined, objects: [], follows: undefined, ...more })
    return this.#under
  }

  #begin(task: Task, call: ObservedCall): void {
    const [first] = call.args
    const file = onFirstFd.has(call.name) && typeof first === 'number' ? fileOf(task, first) : undefined
    const event = this.#add(task, 'call', describeCall(call, this.#fds(task)), {
      call,
      objects: objectsOf(call, file),
      isExit: call.name === 'exit' || call.name === 'exit_group',
    })
    const written = file !== undefined && writing.has(call.name) ? this.#passages.writes(file, event) : undefined
    this.#calls.set(task, { ...call, event, file, written })
  }

  #answer(task: Task, result: unknown): void {
    const call = this.#calls.get(task)
    if (call === undefined) return
    const draft = this.#drafts[call.event]!
    if (result === blocked) {
      draft.kind = 'blocked'
      return
    }
    const outcome = isRestart(result) ? ' interrupted' : describeResult(call, result, this.#fds(task))
    const kind = isFailure(result) ? 'failed' : draft.kind === 'blocked' ? 'resumed' : draft.kind
    let event = call.event
    if (draft.kind === 'blocked') {
      const text = `${draft.text}${outcome}`
      const { objects } = draft
      event = this.#add(task, kind, text, { call, result, objects, follows: call.event })
    } else {
      draft.kind = kind
      draft.text += outcome
      draft.result = result
    }
    this.#calls.delete(task)
    this.#passed(task, call, result, event)
  }

  /** Adds the arrows of a call that has returned. */
  #passed(task: Task, { name, method, args, file, written }: OpenCall, result: unknown, event: number): void {
    const bytes = typeof result === 'number' ? result : ((result as { bytes?: number } | null)?.bytes ?? 0)
    if (written !== undefined) this.#passages.wrote(written, Math.max(0, bytes))
    if (isFailure(result)) return
    if (file !== undefined && reading.has(name)) this.#passages.read(file, bytes, event)
    else if (name === 'waitpid' && result !== null) this.#passages.waited((result as WaitResult).pid, event)
    else if (method !== undefined && resuming.has(method)) {
      const tracee = task.kernel.tasks.get(args[0] as number)
      if (tracee !== undefined) this.#passages.letGo(tracee, event)
    }
  }

  #stop(task: Task, code: number, traced: boolean): void {
    const signal = code & 0x7f
    const event = this.#add(task, 'stop', describeStop(task, code, traced))
    this.#passages.taken(task.process, signal, event)
    this.#passages.news(task.tid, event)
  }

  #exit(task: Task, status: number): void {
    // A call that the exit interrupts never returns.
    this.#calls.delete(task)
    const crash =
      (status & 0x7f) === SIGABRT ? this.#kernel.crashes.findLast(({ pid }) => pid === task.process.id) : undefined
    const why =
      crash === undefined ? '' : `: ${crash.error instanceof Error ? crash.error.message : String(crash.error)}`
    const event = this.#add(task, 'exit', `${describeExit(status)}${why}`)
    this.#passages.taken(task.process, status & 0x7f, event)
  }

  /** Marks an injected fault, as a finding is marked. */
  #fault(task: Task, what: string): void {
    const call = this.#calls.get(task)
    const isKill = what === 'SIGKILL'
    const at = isKill || call === undefined ? this.#add(task, 'signal', what) : call.event
    const how = isKill ? 'killed from outside' : what === 'short' ? 'cut short' : `made to fail with ${what}`
    this.#drafts[at]!.mark = { kind: 'fault', text: how }
  }

  #await(awaited: Awaited): void {
    if (awaited.reason.on === 'child') return
    const event = this.#add(this.#kernel.host, 'blocked', `await ${this.#awaitedText(awaited)}`, { awaited })
    this.#awaits.set(awaited, event)
  }

  #settle(awaited: Awaited): void {
    const { host } = this.#kernel
    const follows = this.#awaits.get(awaited)
    const isSignal = awaited.reason.on === 'child'
    const text = isSignal ? 'wakes for SIGCHLD' : `await ${this.#awaitedText(awaited)}`
    const event = this.#add(host, 'resumed', text, { awaited, follows })
    if (isSignal) this.#passages.taken(host.process, SIGCHLD, event)
  }

  #reject(awaited: Awaited, reason: unknown): void {
    const code: unknown = reason instanceof SystemError ? reason.code : undefined
    const text = `await ${this.#awaitedText(awaited)}${code === undefined ? ' given up' : ` = ${String(code)}`}`
    this.#add(this.#kernel.host, 'failed', text, { awaited, code, follows: this.#awaits.get(awaited) })
  }

  #awaitedText({ fd, label }: Awaited): string {
    return fd === undefined ? label : `ready(${this.#fds(this.#kernel.host)(fd)})`
  }

  #fds(task: Task): (fd: number) => string {
    return fd => {
      const file = fileOf(task, fd)
      if (file === undefined) return String(fd)
      const introduction = `${this.#columnOf.get(task)} ${fd} ${file.id}`
      if (this.#introduced.has(introduction)) return String(fd)
      this.#introduced.add(introduction)
      return `${fd}<${file.description.replace(/^the (read|write) end of /, '')}>`
    }
  }
}

function fileOf(task: Task, fd: number): OpenFile | undefined {
  return task.process.descriptors.get(fd)
}

function nameOf(task: Task): string {
  return task.process.hasExeced ? task.process.image.path : 'child'
}

function objectsOf({ name, args }: ObservedCall, file: OpenFile | undefined): number[] {
  if (name === 'load' || name === 'store') return [(args[0] as { id: number }).id]
  return file === undefined ? [] : [file.id, ...(file.counterpart === undefined ? [] : [file.counterpart.id])]
}
