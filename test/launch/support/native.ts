/** Where the launch's tests run: on the real kernel, with real processes. */

import { describe } from 'vitest'
import { openSystem } from '../../../lib/open-system.ts'
import type { System } from '../../../lib/system/system.ts'
import { whyNoNative } from '../../support/native.ts'

/** A block of tests that needs the native system; where there is none its title says why. */
export function describeNative(title: string, body: (system: System) => void): void {
  const name = whyNoNative === undefined ? title : `${title} [skipped: ${whyNoNative}]`
  describe.skipIf(whyNoNative !== undefined)(name, () => {
    if (whyNoNative === undefined) body(openSystem('native'))
  })
}

/** The system with some of its calls replaced; `this` and the private state of the others stay the real one's. */
export function withCalls(real: System, calls: Partial<System>): System {
  return new Proxy(real, {
    get(target, key) {
      const replaced = (calls as Record<string | symbol, unknown>)[key]
      if (replaced !== undefined) return replaced
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
