/** How util.inspect and console.log show children and threads: in one line, without their internals. */

import type { StopStatus } from '../../system/wait-status.ts'
import type { End } from '../children/child-life.ts'

/** util.inspect.custom, without the module. */
const custom = Symbol.for('nodejs.util.inspect.custom')

type Inspect = (value: unknown, options: object) => string

/** Has the objects of a class shown by its name and these facts. */
export function showBriefly<T extends object>(prototype: T, facts: (object: T) => object): void {
  function show(this: T, _depth: number, options: object, inspect: Inspect): string {
    return `${this.constructor.name} ${inspect(facts(this), options)}`
  }
  Object.defineProperty(prototype, custom, { value: show, configurable: true })
}

/** The state of a thread or a process: its stop, or its end, or neither. */
export function stateOf(stop: StopStatus | null, end?: End): string {
  if (stop !== null) return `stopped (${stop.reason ?? stop.trap?.kind ?? stop.event ?? stop.signal})`
  if (end === undefined) return 'running'
  if ('error' in end) return 'ended'
  return end.exit.kind === 'exited' ? `exited (${end.exit.code})` : `killed (${end.exit.signal})`
}
