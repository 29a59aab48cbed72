/** Records the events of a kernel's tracepoints as a timeline. */

import { constants } from '../../system/constants.ts'
import { SystemError } from '../../system/errors.ts'
import { here, requireHere } from '../../system/made-here.ts'
import { signalName } from '../../system/signals.ts'
import type { WaitResult } from '../../system/system.ts'
import { blocked, isFailure, isRestart } from '../base/results.ts'
import { SIGABRT, SIGCHLD, SIGCONT } from '../base/signal-numbers.ts'
import { textOf } from '../base/thrown.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { Awaited } from '../kernel/awaited.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Probes } from '../kernel/tracepoints.ts'
import type { Task } from '../processes/task.ts'
import { describeCall, describeFirstStep, describeResult, type ObservedCall } from './describe-call.ts'
import { describeExit, describeStop } from './describe-stop.ts'
import { placeMarks, type TimelineMark } from './marks.ts'
import { Passages, type Written } from './passages.ts'
import { type Column, Recording } from './recording.ts'
import { tidy } from './tidy.ts'
import { Timeline } from './timeline.ts'

/** A call that has not returned. */
interface OpenCall extends ObservedCall {
  readonly event: number
  readonly file: OpenFile | undefined
  readonly written: Written | undefined
}

const reading: ReadonlySet<string> = new Set(['read', 'recv', 'recvmsg'])
const writing: ReadonlySet<string> = new Set(['write', 'send', 'sendmsg'])
const resuming: ReadonlySet<string> = new Set(['ptraceCont', 'ptraceStep', 'ptraceSyscall', 'ptraceDetach'])
const onFirstFd: ReadonlySet<string> = new Set(
  [...reading, ...writing].concat(['shutdown', 'close', 'dup', 'fcntl', 'ioctl', 'epoll_wait', 'epoll_ctl', 'ppoll']),
)

/** Makes a recorder of a kernel; for users, recordTimeline() takes a world. */
export let newRecorder: (kernel: Kernel) => TimelineRecorder

/**
 * Records a world from the recorder's creation to {@link finish}. recordTimeline() makes one.
 *
 * @example
 * const recorder = recordTimeline(kernel)
 * // … the run …
 * console.log(String(recorder.finish()))
 */
export class TimelineRecorder {
  readonly #kernel: Kernel
  readonly #recording: Recording
  readonly #calls = new Map<Task, OpenCall>()
  readonly #passages = new Passages()
  readonly #awaits = new Map<Awaited, number>()
  /** Descriptors whose file has already been named, by column. */
  readonly #introduced = new Set<string>()
  readonly #probes: Probes = {
    calling: (task, { name, method }, args) => this.#begin(task, { name, method, args }),
    answered: (task, result) => this.#answer(task, result),
    signalSent: ({ process }, signal) => {
      if (this.#recording.latest >= 0) this.#passages.sent(process, signal, this.#recording.latest)
      if (signal === SIGCONT) this.#passages.letGo(process, this.#recording.latest)
    },
    handling: (task, signal) => {
      const event = this.#recording.add(task, 'signal', `${signalName(signal)} handler`)
      this.#passages.taken(task.process, signal, event)
    },
    parked: (task, state, code) => {
      if (state === 'zombie') this.#passages.news(task.tid, this.#recording.add(task, 'exit', 'ended', { isEnd: true }))
      else this.#stop(task, code, state === 'traced')
    },
    goesOn: task => {
      if (!task.killed) this.#passages.goesOn(task, this.#recording.add(task, 'go', 'goes on'))
    },
    executed: task => this.#recording.add(task, 'exec', `exec ${task.process.image.path}`),
    forked: (parent, child) =>
      this.#recording.addColumn(child, this.#recording.latest, describeFirstStep(this.#calls.get(parent)?.args[0])),
    exiting: (task, status) => this.#exit(task, status),
    finished: file => this.#passages.finished(file, this.#recording.latest),
    faulted: (task, what) => this.#fault(task, what),
    awaiting: awaited => this.#await(awaited),
    settling: awaited => this.#settle(awaited),
    rejecting: (awaited, reason) => this.#reject(awaited, reason),
  }

  static {
    newRecorder = kernel => new TimelineRecorder(kernel, here)
  }

  /** Recorders come from recordTimeline(). */
  private constructor(kernel: Kernel, key: unknown) {
    requireHere(key, 'TimelineRecorder', 'recordTimeline()')
    this.#kernel = kernel
    this.#recording = new Recording(kernel.clock)
    this.#recording.addColumn(kernel.host, undefined)
    kernel.trace.attach(this.#probes)
  }

  /** Number of events so far, begun calls included. */
  get position(): number {
    return this.#recording.drafts.length
  }

  /** Stops recording; the timeline so far, with a finding's marks. */
  finish(marks: readonly TimelineMark[] = []): Timeline {
    this.#kernel.trace.detach(this.#probes)
    const { columns, drafts } = this.#recording
    const waits = placeMarks(this.#recording, marks)
    for (const column of columns.slice(1)) this.#addNext(column)
    const named = columns.map(({ task, firstStep: _, ...column }) => ({
      ...column,
      tid: task.tid,
      name: task === this.#kernel.host ? 'host' : nameOf(task),
    }))
    return new Timeline(tidy(named, drafts, [...this.#passages.arrows, ...waits]))
  }

  /** Adds the next call of a task that could have gone on. */
  #addNext({ task, firstStep }: Column): void {
    if (task.state !== 'runnable' || task.work !== null || task.exiting) return
    const open = this.#calls.get(task)
    const request = task.frames.at(-1)?.request
    const { drafts } = this.#recording
    const hasBegun = drafts.some(({ column }) => column === this.#recording.columnOf(task))
    let text = hasBegun ? 'goes on' : firstStep
    if (open !== undefined) text = `wakes in ${drafts[open.event]!.text}`
    else if (request) {
      const { name, method } = request.call
      text = describeCall({ name, method, args: request.args }, this.#fds(task))
    }
    this.#recording.add(task, 'next', `(next: ${text})`)
  }

  #begin(task: Task, call: ObservedCall): void {
    const [first] = call.args
    const file = onFirstFd.has(call.name) && typeof first === 'number' ? fileOf(task, first) : undefined
    const event = this.#recording.add(task, 'call', describeCall(call, this.#fds(task)), {
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
    const draft = this.#recording.drafts[call.event]!
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
      event = this.#recording.add(task, kind, text, { call, result, objects, follows: call.event })
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
    else if (takesChange(name, args) && result !== null) this.#passages.waited((result as WaitResult).pid, event)
    else if (method !== undefined && resuming.has(method)) {
      const tracee = task.kernel.tasks.get(args[0] as number)
      if (tracee !== undefined) this.#passages.letGo(tracee, event)
    }
  }

  #stop(task: Task, code: number, traced: boolean): void {
    const signal = code & 0x7f
    const event = this.#recording.add(task, 'stop', describeStop(task, code, traced))
    this.#passages.taken(task.process, signal, event)
    this.#passages.news(task.tid, event)
  }

  #exit(task: Task, status: number): void {
    // A call that the exit interrupts never returns.
    this.#calls.delete(task)
    const crash =
      (status & 0x7f) === SIGABRT ? this.#kernel.crashes.findLast(({ pid }) => pid === task.process.id) : undefined
    const why = crash === undefined ? '' : `: ${textOf(crash.error)}`
    const event = this.#recording.add(task, 'exit', `${describeExit(status)}${why}`)
    this.#passages.taken(task.process, status & 0x7f, event)
  }

  /** Marks an injected fault, as a finding is marked. */
  #fault(task: Task, what: string): void {
    const call = this.#calls.get(task)
    const isKill = what === 'SIGKILL'
    const at = isKill || call === undefined ? this.#recording.add(task, 'signal', what) : call.event
    const how = isKill ? 'killed from outside' : what === 'short' ? 'cut short' : `made to fail with ${what}`
    this.#recording.drafts[at]!.mark = { kind: 'fault', text: how }
  }

  #await(awaited: Awaited): void {
    if (awaited.reason.on === 'child') return
    const event = this.#recording.add(this.#kernel.host, 'blocked', `await ${this.#awaitedText(awaited)}`, { awaited })
    this.#awaits.set(awaited, event)
  }

  #settle(awaited: Awaited): void {
    const { host } = this.#kernel
    const follows = this.#awaits.get(awaited)
    const isSignal = awaited.reason.on === 'child'
    const text = isSignal ? 'wakes for SIGCHLD' : `await ${this.#awaitedText(awaited)}`
    const event = this.#recording.add(host, 'resumed', text, { awaited, follows })
    if (isSignal) this.#passages.taken(host.process, SIGCHLD, event)
  }

  #reject(awaited: Awaited, reason: unknown): void {
    const code: unknown = reason instanceof SystemError ? reason.code : undefined
    const text = `await ${this.#awaitedText(awaited)}${code === undefined ? ' given up' : ` = ${String(code)}`}`
    this.#recording.add(this.#kernel.host, 'failed', text, { awaited, code, follows: this.#awaits.get(awaited) })
  }

  #awaitedText({ fd, label }: Awaited): string {
    return fd === undefined ? label : `ready(${this.#fds(this.#kernel.host)(fd)})`
  }

  #fds(task: Task): (fd: number) => string {
    return fd => {
      const file = fileOf(task, fd)
      if (file === undefined) return String(fd)
      const introduction = `${this.#recording.columnOf(task)} ${fd} ${file.id}`
      if (this.#introduced.has(introduction)) return String(fd)
      this.#introduced.add(introduction)
      return `${fd}<${file.channel}>`
    }
  }
}

/** Whether a wait takes the change that it reports. A look with WNOWAIT leaves it, and its arrow, to a later wait. */
function takesChange(name: string, args: readonly unknown[]): boolean {
  return name === 'waitpid' || (name === 'waitid' && (Number(args[2]) & constants.WNOWAIT) === 0)
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
