/** Traced programs that print a line 'ready' once they can be sent signals. */

import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { until } from './processes.ts'

/** Runs the program until it is ready. `text` is what it has printed since. */
export async function runUntilReady(
  program: string,
  trace: 'traceme' | 'seize',
  args: readonly string[] = [],
): Promise<{ tracee: Tracee; text: () => string }> {
  const tracee = await launch(program, args, { trace })
  let text = ''
  tracee.stdout?.on('data', chunk => {
    text += chunk
  })
  tracee.cont()
  await until('the program is ready', () => text.startsWith('ready\n'))
  return { tracee, text: () => text.slice('ready\n'.length) }
}
