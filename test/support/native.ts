/** Whether the native system can be had here, and why not: what the titles of skipped tests say. */

import { openSystem } from '../../lib/open-system.ts'

/** Undefined when the addon is built; else one line with the reason. */
export const whyNoNative: string | undefined = (() => {
  if (process.platform !== 'linux') return `the native system needs Linux, this is ${process.platform}`
  try {
    openSystem('native')
    return undefined
  } catch (error) {
    return `no native build (${(error as Error).message.split('\n').at(-1)?.trim().slice(0, 80)})`
  }
})()
