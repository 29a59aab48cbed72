/** Encoding a child program for the addon. */

import { expect, it } from 'vitest'
import { encodeProgram } from '../../lib/native/encode-program.ts'

it('a program of more bytes than the addon can count is refused', () => {
  // Never touched, and so without memory behind it.
  const data = new Uint8Array(2 ** 31)
  expect(() => encodeProgram({ actions: [{ op: 'write', fd: 1, data }] })).toThrow(
    expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }),
  )
})

it('a program of many strings comes out string by string, each ended by a NUL', () => {
  const argv = ['it', '', 'ü', '\ud83d\ude00', '\ud800', 'x'.repeat(10_000), 'last']
  const { words, bytes } = encodeProgram({ actions: [{ op: 'execve', files: ['/it'], argv, env: [] }] })
  const [actions, byteCount, strings] = words
  expect([actions, strings]).toEqual([1, 1 + argv.length])
  const text = new TextDecoder().decode(bytes.subarray(0, byteCount))
  expect(text.split('\0')).toEqual(['/it', ...argv.map(each => each.replace('\ud800', '\ufffd')), ''])
})

it('a program that is flattened while another one is takes other buffers', () => {
  const inner = { actions: Array.from({ length: 500 }, () => ({ op: 'exit', code: 9 }) as const) }
  let other: ReturnType<typeof encodeProgram> | undefined
  const meddling = {
    op: 'exit',
    get code() {
      other = encodeProgram(inner)
      return 1
    },
  } as const
  const { words } = encodeProgram({ actions: [meddling, { op: 'exit', code: 2 }] })
  expect([...words.subarray(0, 7)]).toEqual([2, 0, 0, 11, 1, 11, 2])
  expect([...other!.words.subarray(0, 5)]).toEqual([500, 0, 0, 11, 9])
})
