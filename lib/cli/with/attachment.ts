/**
 * Detects whether a tool has attached to a held program, by polling: no event reports it.
 *
 * A tracer shows in /proc/PID/status. perf and bpftrace do not trace, but open perf events. An open event may
 * not be enabled yet: perf opens its events some 160 ms before it enables them, and only then does its main thread
 * sleep. So an event counts once the main thread of its process sleeps in poll(2) or the like.
 *
 * A tracer that comes and goes between two looks is noticed by the held program's context switches: only a tracer lets
 * it run within the kernel.
 */

import { readdirSync, readlinkSync } from 'node:fs'
import { processStat, readProc, traceStateOf } from '../proc.ts'

/** poll, ppoll, select, pselect6, epoll_wait, epoll_pwait, epoll_pwait2, nanosleep, clock_nanosleep. */
const sleepingCalls: ReadonlySet<string> = new Set(
  process.arch === 'arm64'
    ? ['73', '72', '22', '441', '101', '115']
    : ['7', '271', '23', '270', '232', '281', '441', '35', '230'],
)

/** The link in /proc/PID/fd of a perf event's descriptor, or of a BPF program's link to one. */
const counter = /^anon_inode:\[?(perf_event|bpf_link)\]?$/

/** What is known before a tool is started. */
interface Before {
  /** The processes that exist, none of which will be a descendant of the tool. */
  readonly processes: readonly number[]
  /** The context switches of the held program. */
  readonly switches: number | undefined
}

/** Looks at all processes and at the held one, before its tool is started. */
export function lookBefore(pid: number): Before {
  return { processes: processes(), switches: switchesAtRest(pid) }
}

export class Attachment {
  readonly #pid: number
  readonly #switches: number | undefined
  // The tool's processes: itself, and its descendants as far as they were seen.
  readonly #family: Set<number>
  // Processes known not to be among them.
  readonly #others: Set<number>
  #wasSeen = false
  #isBlind = false

  /** `before`: what was seen before the tool was started. */
  constructor(pid: number, tool: number, before: Before) {
    this.#pid = pid
    this.#switches = before.switches
    this.#family = new Set([tool])
    this.#others = new Set(before.processes)
    this.#others.delete(tool)
  }

  /** Whether a tracer was seen, or a counter at work. */
  get wasSeen(): boolean {
    return this.#wasSeen
  }

  /** Whether a program that is still held has been traced in the meantime. */
  get wasTraced(): boolean {
    const switches = switchesAtRest(this.#pid)
    return this.#switches !== undefined && switches !== undefined && switches !== this.#switches
  }

  /** Whether the tool has processes that this user may not look at. */
  get isBlind(): boolean {
    return this.#isBlind
  }

  /** Looks once. True if the program may run: the tool will see all that it does. */
  look(): boolean {
    const tracer = traceStateOf(this.#pid)?.tracer ?? 0
    if (tracer !== 0) this.#wasSeen = true
    // PTRACE_SEIZE leaves its tracee running until PTRACE_INTERRUPT: a tracer that sleeps has done both.
    if (tracer !== 0 && processStat(tracer)?.state === 'S') return true
    this.#findFamily()
    const counts = [...this.#family].some(pid => this.#opensCounters(pid) && sleeps(pid))
    this.#wasSeen ||= counts
    return counts
  }

  #opensCounters(pid: number): boolean {
    try {
      const folder = `/proc/${pid}/fd`
      return readdirSync(folder).some(fd => counter.test(readlinkSync(`${folder}/${fd}`)))
    } catch (error) {
      // Otherwise the process has ended, or has just closed the descriptor.
      this.#isBlind ||= (error as NodeJS.ErrnoException).code === 'EACCES'
      return false
    }
  }

  /** A full look into /proc is 30 us a process: only new ones are looked at. */
  #findFamily(): void {
    const found = processes()
    for (let grown = true; grown; ) {
      grown = false
      for (const pid of found) {
        if (this.#family.has(pid) || this.#others.has(pid)) continue
        const parent = processStat(pid)?.parent
        if (parent === undefined || !this.#family.has(parent)) continue
        this.#family.add(pid)
        grown = true
      }
    }
    for (const pid of found) if (!this.#family.has(pid)) this.#others.add(pid)
    const alive = new Set(found)
    for (const set of [this.#family, this.#others]) for (const pid of set) if (!alive.has(pid)) set.delete(pid)
  }
}

/** The most looks at a held program that still runs, as it does for an instant on its way into the hold. */
const mostLooks = 100

/** The context switches of a process at rest; undefined if it runs, or if this user may not see it. */
function switchesAtRest(pid: number): number | undefined {
  // 'running' until it has been switched out, even where its state is T already.
  for (let looks = 1; readProc(`/proc/${pid}/syscall`).startsWith('running'); looks++) {
    if (looks === mostLooks) return undefined
    sleepSync(1)
  }
  if (readProc(`/proc/${pid}/syscall`) === '') return undefined
  const counts = [...readProc(`/proc/${pid}/status`).matchAll(/^(?:non)?voluntary_ctxt_switches:\t(\d+)$/gm)]
  return counts.length === 0 ? undefined : counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Every process of this machine. */
function processes(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function sleeps(pid: number): boolean {
  return sleepingCalls.has(readProc(`/proc/${pid}/syscall`).split(' ')[0]!)
}
