/** Whether the native system can be had here, and why not: what the titles of skipped tests say. */

import { openSystem } from '../../lib/open-system.ts'
import { NativeUnavailableError } from '../../lib/system/errors.ts'

/** Undefined when the addon is built; else one line with the reason. */
export const whyNoNative: string | undefined = (() => {
  if (process.platform !== 'linux') return `the native system needs Linux, this is ${process.platform}`
  try {
    openSystem('native')
    return undefined
  } catch (error) {
    const last = error instanceof NativeUnavailableError ? error.causes.at(-1) : (error as Error)
    return `no native build (${last?.message.slice(0, 80)})`
  }
})()
