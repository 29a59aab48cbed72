/**
 * Runs callbacks and listeners of a stream's user so that a throw does not stop the stream.
 *
 * Node's writable streams continue only after these return. A throw would keep the stream from finishing, and the child
 * would wait for its end of file forever.
 */

import type { Writable } from 'node:stream'
import { callListener } from '../../system/call-listener.ts'

// After these events Node still has work: it counts the write, or destroys the stream.
const eventsBeforeWork: ReadonlySet<unknown> = new Set(['drain', 'prefinish', 'finish'])

type Method = (this: Writable, ...args: unknown[]) => unknown

/** Makes the streams of a class continue after a callback or listener throws: the error becomes an uncaught one. */
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
      if (!eventsBeforeWork.has(args[0])) return Reflect.apply(emit, this, args)
      let hasListeners: unknown = true
      callListener(() => {
        hasListeners = Reflect.apply(emit, this, args)
      })
      return hasListeners
    },
  }
  Object.assign(prototype, methods)
}

/** Wraps a callback so that its throw is an uncaught exception; other values stay as they are. */
function safe(argument: unknown): unknown {
  if (typeof argument !== 'function') return argument
  return (...args: unknown[]) => callListener(() => Reflect.apply(argument, undefined, args))
}
