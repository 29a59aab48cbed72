/** The opcodes of a child program's actions are the same in TypeScript and in C++. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { opcodes } from '../../lib/native/encode-program.ts'

it('an action has one number on both sides of the addon', () => {
  const header = readFileSync(new URL('../../src/child/program.h', import.meta.url), 'utf8')
  const [, body = ''] = /enum class Op : int32_t \{(.*?)\}/s.exec(header) ?? []
  const inC = Array.from(body.matchAll(/\bk(\w)(\w*) = (\d+)/g), ([, first = '', rest = '', number]) => [
    first.toLowerCase() + rest,
    Number(number),
  ])
  expect(inC.length).toBeGreaterThan(10)
  expect(Object.fromEntries(inC)).toEqual(opcodes)
  expect(new Set(Object.values(opcodes)).size).toBe(inC.length)
})
