import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { loadAddon } from '../../lib/native/load-addon.ts'
import { madeAtFirstUse } from '../../lib/native/made-at-first-use.ts'
import { describeNative } from '../support/describe-native.ts'

describeNative('the addon', () => {
  it('has all that its declaration names, and nothing under another name', () => {
    const declaration = readFileSync(new URL('../../lib/native/addon.ts', import.meta.url), 'utf8')
    const names = Array.from(declaration.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm), ([, name]) => name!)
    expect(names.length).toBeGreaterThan(70)
    const addon = loadAddon() as unknown as Record<string, unknown>
    expect(names.filter(name => addon[name] === undefined)).toEqual([])
    const others = ['', 'then', 'rea', 'reads', 'x'.repeat(100), Symbol.toStringTag as never]
    expect(others.map(name => addon[name])).toEqual(others.map(() => undefined))
  })

  it('makes a function once, at its first use', () => {
    const made: string[] = []
    const make = (name: string) => {
      made.push(name)
      return name === 'read' ? () => 5 : undefined
    }
    const addon = madeAtFirstUse({ make })
    expect(made).toEqual([])
    expect([addon.read(0, new Uint8Array(1)), addon.read(0, new Uint8Array(1))]).toEqual([5, 5])
    expect(made).toEqual(['read'])
    expect(Object.hasOwn(addon, 'read')).toBe(true)
  })
})
