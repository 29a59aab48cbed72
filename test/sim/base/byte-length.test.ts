import { expect, it } from 'vitest'
import { byteLength } from '../../../lib/sim/base/byte-length.ts'

it.for(['', 'abc', 'é', '€', '𝄞', 'a\ud834', '\udd1ea', '\ud834\ud834\udd1e', '~\u007f\u0080\u07ff\u0800\uffff'])(
  'the bytes of %j are those of its UTF-8',
  text => {
    expect(byteLength(text)).toBe(new TextEncoder().encode(text).length)
  },
)
