import { describe, expect, it } from 'vitest'
import { checkSiginfo } from '../../lib/system/arguments.ts'

/** A subclass whose length is not that of its memory. */
class Boasting extends Uint8Array {
  override get length() {
    return 128
  }
}

describe('a siginfo', () => {
  it('has the bytes that it has, whatever length its class says: the kernel would read on behind them', () => {
    expect(() => checkSiginfo(new Boasting(4), 'siginfo')).toThrow("Received '4 bytes'")
    expect(checkSiginfo(new Uint8Array(128), 'siginfo')).toHaveLength(128)
  })
})
