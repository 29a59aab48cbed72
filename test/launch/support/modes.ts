/** Every mode of launching, for tests that hold in all of them. */

import type { TraceMode } from '../../../lib/launch/options/options.ts'

export interface Mode {
  readonly name: string
  readonly trace: TraceMode
  readonly memory: 'shared' | 'copied'
}

const traces: readonly TraceMode[] = ['traceme', 'seize', false]
const memories = ['shared', 'copied'] as const

/** The trace modes, each with shared and with copied memory. */
export const modes: readonly Mode[] = traces.flatMap(trace =>
  memories.map(memory => ({ name: `${trace || 'untraced'}, ${memory} memory`, trace, memory })),
)

export interface TracedMode extends Mode {
  readonly trace: 'traceme' | 'seize'
}

/** The modes of a Tracee. */
export const tracedModes = modes.filter((mode): mode is TracedMode => mode.trace !== false)

/** The two ways of tracing, for tests that do not depend on the memory mode. */
export const tracings = ['traceme', 'seize'] as const

/** The mode as options of launch(). */
export function optionsOf<Of extends Mode>(mode: Of): Pick<Of, 'trace' | 'memory'> {
  return { trace: mode.trace, memory: mode.memory }
}
