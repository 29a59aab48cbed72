/** Signal actions of sigaction(2), in the program's form and in the kernel's. */

import { checkList, checkOptions, checkSignalOfSet, invalidValue } from '../../system/arguments.ts'
import type { Signal } from '../../system/signals.ts'
import { SignalSet } from '../base/signal-set.ts'
import { defaultAction, type HandlerCode, type SignalAction } from '../processes/process.ts'
import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'

/** The options of a signal handler. */
export interface HandlerOptions {
  /** SA_RESTART: interrupted calls restart. */
  readonly restart?: boolean
  /** SA_NODEFER: the signal itself stays unblocked while the handler runs. */
  readonly noDefer?: boolean
  /** SA_RESETHAND: the action returns to the default when the handler starts. */
  readonly once?: boolean
  /** SA_NOCLDWAIT: ended children vanish without a wait. */
  readonly noChildWait?: boolean
  /** SA_NOCLDSTOP: no SIGCHLD for stops. */
  readonly noChildStop?: boolean
  /** Signals blocked while the handler runs. */
  readonly mask?: readonly Signal[]
}

const flagNames = ['restart', 'noDefer', 'once', 'noChildWait', 'noChildStop'] as const

/** A program's function that handles a signal. */
export type SignalHandler = (process: SimulatedProcess, signal: number) => Calling<void>

/** The default action, no action, or a function of the program. */
export type Handler = 'default' | 'ignore' | SignalHandler

/** A signal's whole action, as sigaction(2) takes and returns it. */
export interface HandlerAction extends Required<HandlerOptions> {
  /** The handler of the signal. */
  readonly handler: Handler
}

/** A handler's code, and the program's function that it came from. */
export interface GivenHandlerCode extends HandlerCode {
  readonly given: SignalHandler
}

/** Checks a handler and its options, given separately or as one object. */
export function checkAction(
  handler: unknown,
  options: unknown,
  codeOf: (handler: SignalHandler) => GivenHandlerCode,
): SignalAction {
  if (typeof handler === 'object' && handler !== null) {
    const { handler: inside, ...others } = checkOptions(handler, 'action', ['handler', ...flagNames, 'mask'])
    return checkAction(inside, others, codeOf)
  }
  if (handler !== 'default' && handler !== 'ignore' && typeof handler !== 'function')
    throw invalidValue('handler', "must be 'default', 'ignore' or a generator function", handler)
  const given = checkOptions(options, 'options', [...flagNames, 'mask'])
  const signals = checkList(given.mask ?? [], () => 'options.mask', checkSignalOfSet)
  const flags = Object.fromEntries(flagNames.map(name => [name, checkFlag(given[name], `options.${name}`)]))
  const code = typeof handler === 'function' ? codeOf(handler as SignalHandler) : handler
  return { ...defaultAction, ...flags, handler: code, mask: SignalSet.mask(signals) }
}

function checkFlag(value: unknown, name: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidValue(name, 'must be true or false', value)
  return value === true
}

/** Converts an action to the program's form. */
export function toHandlerAction({ handler, mask, ...flags }: SignalAction): HandlerAction {
  const given = typeof handler === 'string' ? handler : (handler as GivenHandlerCode).given
  return { ...flags, handler: given, mask: mask.toNumbers() }
}
