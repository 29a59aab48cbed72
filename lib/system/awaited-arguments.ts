/** The arguments of the calls of System that are awaited, checked once for every System. */

import {
  checkAbortSignal,
  checkBoolean,
  checkFunction,
  checkInt,
  checkMask,
  checkNumber,
  checkObject,
  checkOptions,
  outOfRange,
} from './arguments.ts'
import type { ReadinessListener } from './system.ts'

/** What ready() was given. */
export function readyArguments(fd: unknown, events: unknown, options: unknown) {
  return { fd: checkInt(fd, 'fd'), events: checkMask(events, 'events'), signal: signalOf(options) }
}

/** What watch() was given; the functions of the listener are read once. */
export function watchArguments(fd: unknown, events: unknown, listener: unknown) {
  return { fd: checkInt(fd, 'fd'), events: checkMask(events, 'events'), listener: checkListener(listener) }
}

/** What sleep() was given. A timer of Node takes a longer time for one millisecond. */
export function sleepArguments(ms: unknown, options: unknown) {
  const duration = checkNumber(ms, 'ms')
  if (!(duration <= 0x7fffffff)) throw outOfRange('ms', 'at most 2147483647', ms)
  return { ms: Math.max(0, duration), signal: signalOf(options) }
}

/** What onChildChange() was given. */
export function childChangeArguments(listener: unknown, options: unknown) {
  const checked = checkFunction(listener, 'listener') as () => void
  const { keepAlive = true } = checkOptions(options, 'options', ['keepAlive'])
  return { listener: checked, keepAlive: checkBoolean(keepAlive, 'options.keepAlive') }
}

function signalOf(options: unknown): AbortSignal | undefined {
  return checkAbortSignal(checkOptions(options, 'options', ['signal']).signal)
}

function checkListener(value: unknown): ReadinessListener {
  const { ready, failed } = checkObject(value, 'listener')
  checkFunction(ready, 'listener.ready')
  checkFunction(failed, 'listener.failed')
  return { ready, failed } as ReadinessListener
}
