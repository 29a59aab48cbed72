/** Whether the native system is available, and the reason if not, for the titles of skipped tests. */

import { openSystem } from '../../lib/open-system.ts'
import { NativeUnavailableError } from '../../lib/system/errors.ts'

/** Undefined if the addon is built, else the reason in one line. */
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
