/** Checks of the values of a child's settings, for actions of a child program and for options of launch(). */

import { checkInt, invalidType, invalidValue, outOfRange } from './arguments.ts'
import { isNamespaceName, type NamespaceName, namespaceFlags } from './namespaces.ts'

/** The most CPUs that a Linux kernel can be built for. */
const mostCpus = 8192

/** The number of a CPU. */
export function checkCpu(value: unknown, name: () => string): number {
  const cpu = checkInt(value, name())
  if (cpu < 0 || cpu >= mostCpus) throw outOfRange(name(), `a CPU, 0 to ${mostCpus - 1}`, cpu)
  return cpu
}

/** A resource limit: a whole number, Infinity, or 'unlimited'. */
export function checkLimit(value: unknown, name: () => string): number {
  if (value === 'unlimited' || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  if (typeof value === 'string') throw invalidValue(name(), "must be a number, Infinity or 'unlimited'", value)
  if (typeof value !== 'number') throw invalidType(name(), 'of type number', value)
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange(name(), 'a whole number, or Infinity', value)
  return value
}

/** A kind of namespace. */
export function checkNamespace(value: unknown, name: () => string): NamespaceName {
  if (isNamespaceName(value)) return value
  throw invalidValue(name(), `must be one of ${Object.keys(namespaceFlags).join(', ')}`, value)
}
