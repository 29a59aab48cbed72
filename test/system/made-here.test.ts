/** Classes whose objects only the package makes. */

import { expect, it } from 'vitest'
import { Channel, Child, Pty, Rendezvous, TracedThread, Tracee } from '../../lib/index.ts'
import { TimelineRecorder } from '../../lib/sim/index.ts'

const classes: readonly { readonly name: string }[] = [
  Channel,
  Child,
  Pty,
  Rendezvous,
  TimelineRecorder,
  TracedThread,
  Tracee,
]

it.each(classes)('new $name() is refused, with the name of what makes one', made => {
  const { name } = made
  const construct = made as unknown as new (...args: unknown[]) => unknown
  for (const args of [[], [{}], [{}, {}, {}, {}]]) {
    expect(() => new construct(...args)).toThrow(
      expect.objectContaining({
        code: 'ERR_ILLEGAL_CONSTRUCTOR',
        message: expect.stringMatching(`^Illegal constructor: a ${name} is made by `),
      }),
    )
  }
})
