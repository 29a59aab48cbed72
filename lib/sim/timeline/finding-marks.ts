/** What the error of a finding points at: the accesses of a race, the calls of a deadlock, what was left behind. */

import type { Kernel } from '../kernel.ts'
import type { TimelineMark } from './recorder.ts'

/** What errors of findings tell besides their message, each of its own kind. */
interface Telling {
  /** Of a data race. */
  readonly cell?: { readonly id: number }
  readonly accesses?: readonly { readonly tid: number; readonly call: string; readonly number: number }[]
  /** Of a deadlock. */
  readonly graph?: {
    readonly waits: readonly {
      readonly tid: number
      readonly description: string
      readonly waitsFor: readonly number[]
    }[]
  }
  /** Of a leak. */
  readonly leaks?: readonly Leak[]
}

type Leak =
  | { readonly kind: 'descriptor'; readonly fd: number }
  | { readonly kind: 'process'; readonly pid: number; readonly description: string }

/** The marks for a run that ended with an error. */
export function marksOf(kernel: Kernel, kind: string, error: Error): TimelineMark[] {
  const { cell, accesses, graph, leaks } = error as Error & Telling
  if (cell !== undefined && accesses !== undefined) {
    const others = (at: number) => accesses[1 - at]!
    return accesses.map(({ tid, number }, at) => ({
      kind,
      text: `nothing orders this and the ${others(at).call} of ${others(at).tid}`,
      tid,
      object: cell.id,
      nth: number,
    }))
  }
  if (graph !== undefined) {
    return graph.waits.map(({ tid, description, waitsFor }) => ({ kind, text: description, tid, waitsFor }))
  }
  if (leaks !== undefined) return leaks.map(leak => leakMark(kernel, kind, leak))
  const [text = ''] = error.message.split('\n')
  const crash = kernel.crashes.find(each => each.error === error)
  return [{ kind, text, tid: crash?.pid ?? kernel.host.tid }]
}

/** At the last use of the descriptor, or at the last that the process did. */
function leakMark(kernel: Kernel, kind: string, leak: Leak): TimelineMark {
  if (leak.kind === 'process') return { kind, text: leak.description, tid: leak.pid }
  const { host } = kernel
  const object = host.process.descriptors.get(leak.fd)?.id
  return { kind, text: `fd ${leak.fd} is still open`, tid: host.tid, ...(object !== undefined && { object }) }
}
