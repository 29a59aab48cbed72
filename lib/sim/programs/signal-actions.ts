/** What programs do about signals, sigaction(2): as they give it, and as the kernel has it. */

import { checkList, checkOptions, checkSignal, invalidValue } from '../../system/arguments.ts'
import type { Signal } from '../../system/signals.ts'
import { SignalSet } from '../base/signal-set.ts'
import { defaultAction, type HandlerCode, type SignalAction } from '../processes/process.ts'
import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'

/** How a signal is to be handled, beyond what handles it. */
export interface HandlerOptions {
  /** SA_RESTART: calls it interrupts are made again. */
  readonly restart?: boolean
  /** SA_NODEFER: the signal itself is not blocked meanwhile. */
  readonly noDefer?: boolean
  /** SA_RESETHAND: back to the default once it ran. */
  readonly once?: boolean
  /** SA_NOCLDWAIT: ended children vanish. */
  readonly noChildWait?: boolean
  /** SA_NOCLDSTOP: no SIGCHLD for stops. */
  readonly noChildStop?: boolean
  /** Signals blocked meanwhile. */
  readonly mask?: readonly Signal[]
}

const flagNames = ['restart', 'noDefer', 'once', 'noChildWait', 'noChildStop'] as const

/** A function of a program that runs when a signal arrives. */
export type SignalHandler = (process: SimulatedProcess, signal: number) => Calling<void>

/** What handles a signal: the default action, nothing, or a function of the program. */
export type Handler = 'default' | 'ignore' | SignalHandler

/** All of a signal's action, as sigaction(2) tells and takes it. */
export interface HandlerAction extends Required<HandlerOptions> {
  /** What handles the signal. */
  readonly handler: Handler
}

/** A handler's code, and the function that a program gave. */
export interface GivenHandlerCode extends HandlerCode {
  readonly given: SignalHandler
}

/** Checks a handler with its options, apart or in one object. */
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
  const signals = checkList(
    given.mask ?? [],
    () => 'options.mask',
    (item, name) => checkSignal(item, name()),
  )
  const flags = Object.fromEntries(flagNames.map(name => [name, checkFlag(given[name], `options.${name}`)]))
  const code = typeof handler === 'function' ? codeOf(handler as SignalHandler) : handler
  return { ...defaultAction, ...flags, handler: code, mask: SignalSet.of(signals) }
}

function checkFlag(value: unknown, name: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidValue(name, 'must be true or false', value)
  return value === true
}

/** An action as a program is told of it. */
export function tellAction({ handler, mask, ...flags }: SignalAction): HandlerAction {
  const told = typeof handler === 'string' ? handler : (handler as GivenHandlerCode).given
  return { ...flags, handler: told, mask: mask.toNumbers() }
}
