/** The addon's functions, each made at its first use: to make all of them takes as long as a launch. */

import type { Addon } from './addon.ts'

/** What the addon's file exports. */
export interface AddonFile {
  /** Makes what the addon has under this name; undefined if there is none. */
  make(name: string): unknown
}

/** The addon of a file. What is made becomes a property of it, so that the next use takes no longer than a call. */
export function madeAtFirstUse({ make }: AddonFile): Addon {
  const unmade = new Proxy(
    {},
    {
      get(_, name) {
        const value = typeof name === 'string' ? make(name) : undefined
        if (value !== undefined) Object.defineProperty(addon, name, { value })
        return value
      },
    },
  )
  const addon = Object.create(unmade)
  return addon
}
