/**
 * Callbacks and listeners of a stream's user, called so that what they throw stops nothing of the stream's.
 *
 * Node's writable streams go on only once these have returned. Where one throws, the stream never finishes, and the child waits for its
 * end of file for ever.
 */

import type { Writable } from 'node:stream'
import { callListener } from '../system/call-listener.ts'

// Node goes on after these: it counts the write, destroys the stream.
const eventsOnTheWay: ReadonlySet<unknown> = new Set(['drain', 'prefinish', 'finish'])

type Method = (this: Writable, ...args: unknown[]) => unknown

/** Makes the streams of a class go on after callbacks and listeners that throw: that is an uncaught exception, and no more. */
export function goOnAfterThrows(prototype: Writable): void {
  const { write, end, emit } = prototype as unknown as Record<'write' | 'end' | 'emit', Method>
  const methods: Record<string, Method> = {
    write(...args) {
      return Reflect.apply(write, this, args.map(safe))
    },
    end(...args) {
      return Reflect.apply(end, this, args.map(safe))
    },
    emit(...args) {
      if (!eventsOnTheWay.has(args[0])) return Reflect.apply(emit, this, args)
      let hasListeners: unknown = true
      callListener(() => {
        hasListeners = Reflect.apply(emit, this, args)
      })
      return hasListeners
    },
  }
  Object.assign(prototype, methods)
}

/** A callback that throws to nobody; what is no callback stays as it is. */
function safe(argument: unknown): unknown {
  if (typeof argument !== 'function') return argument
  return (...args: unknown[]) => callListener(() => Reflect.apply(argument, undefined, args))
}
