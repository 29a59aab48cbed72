/** Shell scripts that say when they are ready to be terminated. */

import type { Child } from '../../../lib/launch/handles/child.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { System } from '../../../lib/system/system.ts'

/** Of a shell script: waits, and runs its traps meanwhile. */
export const waits = 'while :; do sleep 0.01; done'

/** Launches a shell script and waits until it prints its first line, which is returned. */
export async function started(
  script: string,
  options: { detached?: boolean; system?: System } = {},
): Promise<[Child, string]> {
  const child = await launch('/bin/sh', ['-c', script], {
    trace: false,
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  })
  const line = await new Promise<string>(resolve => child.stdout.once('data', chunk => resolve(String(chunk))))
  return [child, line.trim()]
}
