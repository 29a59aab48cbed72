/** The arguments of System's asynchronous calls, checked once for every System. */

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

/** The arguments of ready(). */
export function readyArguments(fd: unknown, events: unknown, options: unknown) {
  return { fd: checkInt(fd, 'fd'), events: checkMask(events, 'events'), signal: signalOf(options) }
}

/** The arguments of watch(). The listener's functions are read once. */
export function watchArguments(fd: unknown, events: unknown, listener: unknown) {
  return { fd: checkInt(fd, 'fd'), events: checkMask(events, 'events'), listener: checkListener(listener) }
}

/** The arguments of sleep(). Node's timers treat a longer time as one millisecond. */
export function sleepArguments(ms: unknown, options: unknown) {
  const duration = checkNumber(ms, 'ms')
  if (!(duration <= 0x7fffffff)) throw outOfRange('ms', 'at most 2147483647', ms)
  return { ms: Math.max(0, duration), signal: signalOf(options) }
}

/** The arguments of onChildChange(). */
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
