/** How a child program is flattened for the addon. */

import { expect, it } from 'vitest'
import { encodeProgram } from '../../lib/native/encode-program.ts'

it('a program of more bytes than the addon can count is refused', () => {
  // Never touched, and so without memory behind it.
  const data = new Uint8Array(2 ** 31)
  expect(() => encodeProgram({ actions: [{ op: 'write', fd: 1, data }] })).toThrow(
    expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }),
  )
})
