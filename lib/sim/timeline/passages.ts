/** What passes from one event to another: bytes by way of files, signals, ends of files, and who let whom go on. */

import { signalName } from '../../system/signals.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { Process } from '../processes/process.ts'
import type { Task } from '../processes/task.ts'
import { countOf } from './describe-call.ts'
import type { TimelineArrow } from './parts.ts'

/** A write whose bytes somebody may still read. */
export interface Written {
  readonly event: number
  /** Bytes that nobody has read; without limit while the call is blocked. */
  left: number
  taken: number
}

/** Remembers the beginnings of arrows until their ends are there. */
export class Passages {
  readonly arrows: TimelineArrow[] = []
  /** By the file they can be read from. */
  readonly #written = new Map<OpenFile, Written[]>()
  /** Events in which files ended. */
  readonly #finished = new Map<OpenFile, number>()
  readonly #signals = new Map<Process, Map<number, number>>()
  readonly #letGo = new Map<Task | Process, number>()
  /** The latest stop or end of each thread. */
  readonly #news = new Map<number, number>()

  #add(from: number, to: number, kind: TimelineArrow['kind'], label: string): void {
    if (from >= 0 && from < to) this.arrows.push({ from, to, kind, label })
  }

  /** Bytes are written: they can be read at the other end, some of them before a blocked call has ended. */
  writes(file: OpenFile, event: number): Written {
    const written = { event, left: Number.POSITIVE_INFINITY, taken: 0 }
    const { counterpart } = file
    if (counterpart === undefined) return written
    const queue = this.#written.get(counterpart)
    if (queue === undefined) this.#written.set(counterpart, [written])
    else queue.push(written)
    return written
  }

  /** The write has ended. */
  wrote(written: Written, bytes: number): void {
    written.left = bytes - written.taken
  }

  /** Bytes were read, or the end of the file was met. */
  read(file: OpenFile, bytes: number, event: number): void {
    if (bytes === 0) {
      const { counterpart } = file
      const end = counterpart === undefined ? undefined : this.#finished.get(counterpart)
      if (end !== undefined) this.#add(end, event, 'end-of-file', 'end of file')
      return
    }
    const queue = this.#written.get(file) ?? []
    for (let left = bytes; left > 0 && queue.length > 0; ) {
      const first = queue[0]!
      const taken = Math.min(left, first.left)
      if (taken > 0) this.#add(first.event, event, 'bytes', countOf(taken, 'byte'))
      left -= taken
      first.left -= taken
      first.taken += taken
      if (first.left <= 0) queue.shift()
    }
  }

  /** Nobody holds the file any more. */
  finished(file: OpenFile, event: number): void {
    this.#finished.set(file, event)
  }

  /** A signal was sent. */
  sent(to: Process, signal: number, event: number): void {
    const signals = this.#signals.get(to)
    if (signals === undefined) this.#signals.set(to, new Map([[signal, event]]))
    else signals.set(signal, event)
  }

  /** A signal takes effect. */
  taken(process: Process, signal: number, event: number): void {
    const signals = this.#signals.get(process)
    const sent = signals?.get(signal)
    if (signals === undefined || sent === undefined) return
    signals.delete(signal)
    this.#add(sent, event, 'signal', signalName(signal))
  }

  /** Somebody lets a stopped task, or a stopped process, go on. */
  letGo(whom: Task | Process, event: number): void {
    this.#letGo.set(whom, event)
  }

  /** A stopped task goes on. */
  goes(task: Task, event: number): void {
    const byTracer = this.#letGo.get(task)
    const cause = byTracer ?? this.#letGo.get(task.process)
    this.#letGo.delete(task)
    if (cause !== undefined) this.#add(cause, event, 'resume', byTracer === undefined ? 'SIGCONT' : '')
  }

  /** A thread has stopped or ended: something for a wait to tell. */
  news(tid: number, event: number): void {
    this.#news.set(tid, event)
  }

  /** A wait has told of it. */
  told(tid: number, event: number): void {
    const news = this.#news.get(tid)
    if (news !== undefined) this.#add(news, event, 'child', '')
  }
}
