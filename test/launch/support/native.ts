/** Runs the launch tests on the real kernel, with real processes. */

import { describe } from 'vitest'
import { openSystem } from '../../../lib/open-system.ts'
import type { System } from '../../../lib/system/system.ts'
import { whyNoNative } from '../../support/native.ts'

/** A block of tests that needs the native system. Without it, the title has the reason. */
export function describeNative(title: string, body: (system: System) => void): void {
  const name = whyNoNative === undefined ? title : `${title} [skipped: ${whyNoNative}]`
  describe.skipIf(whyNoNative !== undefined)(name, () => {
    if (whyNoNative === undefined) body(openSystem('native'))
  })
}

/** The system with some of its calls replaced. The other calls keep the real `this` and its private state. */
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
