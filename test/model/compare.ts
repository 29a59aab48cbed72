/** Observations: the outcome of an operation, in a form that is comparable between worlds. */

/** Results, errno codes, bytes. Values that differ between worlds (pids, addresses) are replaced or left out. */
export type Observation =
  | string
  | number
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly Observation[]
  | { readonly [name: string]: Observation }

/** Whether two observations are the same, bytes included. */
export function same(one: Observation, other: Observation): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (one instanceof Uint8Array || other instanceof Uint8Array) return sameBytes(one, other)
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const left = one as { readonly [name: string]: Observation }
  const right = other as { readonly [name: string]: Observation }
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  for (const name of names) if (!same(left[name], right[name])) return false
  return true
}

function sameBytes(one: unknown, other: unknown): boolean {
  return one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0
}

/** A copy whose bytes stay when their buffer is reused. */
export function copy(observation: Observation): Observation {
  if (typeof observation !== 'object' || observation === null) return observation
  if (observation instanceof Uint8Array) return observation.slice()
  if (Array.isArray(observation)) return observation.map(copy)
  return Object.fromEntries(Object.entries(observation).map(([name, value]) => [name, copy(value)]))
}

/** An observation on one line. */
export function show(observation: Observation): string {
  return (
    JSON.stringify(observation, (_, value: unknown) =>
      value instanceof Uint8Array
        ? `${value.length} bytes: ${Buffer.from(value.subarray(0, 12)).toString('hex')}…`
        : value,
    ) ?? 'undefined'
  )
}
