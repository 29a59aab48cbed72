/** Simpler forms of an operation: smaller numbers, fewer flags, shorter lists, fewer options. */

import type { Operation } from './operations.ts'

/** Keeps slot and option names; only values with a size are made smaller. */
const optional = new Set(['times', 'report', 'group', 'signal'])
const kept = new Set(['op', 'type', 'domain', 'protocol', 'data', 'level'])

export function* simpler(operation: Operation): IterableIterator<Operation> {
  for (const smaller of simplerValue(operation)) yield smaller as Operation
}

function* simplerValue(value: unknown): IterableIterator<unknown> {
  if (typeof value === 'number') yield* smallerNumbers(value)
  else if (Array.isArray(value)) yield* shorterLists(value)
  else if (typeof value === 'object' && value !== null) yield* simplerFields(value as Record<string, unknown>)
}

function* smallerNumbers(value: number): IterableIterator<number> {
  if (value <= 0) return
  yield 0
  if (value > 1) yield 1
  const seen = new Set([0, 1, value])
  for (const next of [...withoutBits(value), value >> 1, value - (value >> 3), value - 1]) {
    if (next > 0 && next < value && !seen.has(next)) yield next
    seen.add(next)
  }
}

function* withoutBits(value: number): IterableIterator<number> {
  for (let bit = 31; bit >= 0; bit--) {
    const flag = 2 ** bit
    if (Math.floor(value / flag) % 2 === 1) yield value - flag
  }
}

function* shorterLists(list: readonly unknown[]): IterableIterator<readonly unknown[]> {
  for (let at = 0; at < list.length; at++) yield [...list.slice(0, at), ...list.slice(at + 1)]
  for (const [at, each] of list.entries()) {
    for (const other of simplerValue(each)) yield [...list.slice(0, at), other, ...list.slice(at + 1)]
  }
}

function* simplerFields(fields: Record<string, unknown>): IterableIterator<Record<string, unknown>> {
  for (const [name, value] of Object.entries(fields)) {
    if (kept.has(name)) continue
    if (optional.has(name) && (name !== 'signal' || fields.op === 'ptrace')) {
      const { [name]: _, ...rest } = fields
      yield rest
    }
    // A pair always has two slots.
    if (name === 'to' && fields.op !== 'recvmsg') continue
    for (const other of simplerValue(value)) yield { ...fields, [name]: other }
  }
}
