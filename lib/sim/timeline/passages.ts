/** What passes from one event to another: bytes through files, ends of files, signals, resumed stops, child states. */

import { signalName } from '../../system/signals.ts'
import { countOf } from '../base/count-of.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { Process } from '../processes/process.ts'
import type { Task } from '../processes/task.ts'
import type { TimelineArrow } from './parts.ts'

/** A write with bytes that are still to be read. */
export interface Written {
  readonly event: number
  /** Bytes not read yet; infinite while the call is under way and its result unknown. */
  left: number
  taken: number
}

/** Keeps the starts of arrows until their ends happen. */
export class Passages {
  readonly arrows: TimelineArrow[] = []
  /** Writes, by the file their bytes can be read from. */
  readonly #written = new Map<OpenFile, Written[]>()
  /** The events in which files were closed for good. */
  readonly #finished = new Map<OpenFile, number>()
  readonly #signals = new Map<Process, Map<number, number>>()
  readonly #letGo = new Map<Task | Process, number>()
  /** The latest stop or end of each thread. */
  readonly #news = new Map<number, number>()

  #add(from: number, to: number, kind: TimelineArrow['kind'], label: string): void {
    if (from >= 0 && from < to) this.arrows.push({ from, to, kind, label })
  }

  /** A write begins. The other end can read some of its bytes before a blocked call returns. */
  writes(file: OpenFile, event: number): Written {
    const written = { event, left: Number.POSITIVE_INFINITY, taken: 0 }
    const { counterpart } = file
    if (counterpart === undefined) return written
    const queue = this.#written.get(counterpart)
    if (queue === undefined) this.#written.set(counterpart, [written])
    else queue.push(written)
    return written
  }

  /** A write has returned. */
  wrote(written: Written, bytes: number): void {
    written.left = bytes - written.taken
  }

  /** A read has returned; `bytes` is 0 at end of file. */
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

  /** A file's last reference is gone. */
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

  /** A stopped task or process is resumed. */
  letGo(stopped: Task | Process, event: number): void {
    this.#letGo.set(stopped, event)
  }

  /** A stopped task goes on. */
  goesOn(task: Task, event: number): void {
    const byTracer = this.#letGo.get(task)
    const cause = byTracer ?? this.#letGo.get(task.process)
    this.#letGo.delete(task)
    if (cause !== undefined) this.#add(cause, event, 'resume', byTracer === undefined ? 'SIGCONT' : '')
  }

  /** A thread has stopped or ended, which a wait can report. */
  news(tid: number, event: number): void {
    this.#news.set(tid, event)
  }

  /** A wait has reported a thread's stop or end. */
  waited(tid: number, event: number): void {
    const news = this.#news.get(tid)
    if (news !== undefined) this.#add(news, event, 'child', '')
  }
}
