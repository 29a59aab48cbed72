import { describe, expect, it } from 'vitest'
import { checkBytes, checkSiginfo } from '../../lib/system/arguments.ts'

/** A subclass whose length is not that of its memory. */
class Boasting extends Uint8Array {
  override get length() {
    return 128
  }
}

describe('bytes of a subclass with a length of its own', () => {
  it('count as they are for a siginfo: the kernel would read on behind them', () => {
    expect(() => checkSiginfo(new Boasting(4), 'siginfo')).toThrow("Received '4 bytes'")
    expect(checkSiginfo(new Uint8Array(128), 'siginfo')).toHaveLength(128)
  })

  it('are refused on memory that was transferred', () => {
    const bytes = new Boasting(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    expect(() => checkBytes(bytes, 'buffer')).toThrow('transferred')
  })
})
