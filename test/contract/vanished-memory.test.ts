import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { bytes } from './helpers.ts'
import { describeContract } from './suite.ts'

const { O_NONBLOCK } = constants

interface Resizable extends ArrayBuffer {
  resize(length: number): void
}
const resizable = (length: number) =>
  new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(length, { maxByteLength: 64 })

const vanished: readonly (readonly [how: string, make: () => Uint8Array])[] = [
  [
    'was transferred',
    () => {
      const buffer = new ArrayBuffer(8)
      const view = new Uint8Array(buffer)
      structuredClone(buffer, { transfer: [buffer] })
      return view
    },
  ],
  [
    'has shrunk below it',
    () => {
      const buffer = resizable(8)
      const view = new Uint8Array(buffer, 4, 4)
      buffer.resize(2)
      return view
    },
  ],
]

describeContract('bytes whose memory', world => {
  it.for(vanished)('%s are refused: no end of file, no success', ([, make]) => {
    const { system } = world
    const [r, w] = system.pipe2(O_NONBLOCK)
    system.write(w, bytes('x'))
    for (const call of [() => system.read(r, make()), () => system.write(w, make())]) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    }
    expect(system.bytesReadable(r)).toBe(1)
  })

  it('is shared, grows or is nothing at all work as any', () => {
    const { system } = world
    const [r, w] = system.pipe2(O_NONBLOCK)
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(97)
    const buffer = resizable(2)
    const tracking = new Uint8Array(buffer)
    buffer.resize(3)
    tracking.fill(98)
    expect([system.write(w, shared), system.write(w, tracking), system.write(w, new Uint8Array(0))]).toEqual([3, 3, 0])
    const into = new Uint8Array(new SharedArrayBuffer(8))
    expect(system.read(r, into)).toBe(6)
    expect(Buffer.from(into).toString('latin1', 0, 6)).toBe('aaabbb')
    expect(system.read(r, new Uint8Array(0))).toBe(0)
  })
})
