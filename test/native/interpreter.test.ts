import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../build/Release/obj.target/tracegate/src/child/', import.meta.url))
const sources = readdirSync(new URL('../../src/child/', import.meta.url)).filter(name => name.endsWith('.cpp'))
const objects = sources.map(name => folder + name.replace('.cpp', '.o'))

const whySkipped = !objects.every(object => existsSync(object))
  ? 'no release build of the interpreter'
  : spawnSync('nm', ['--version']).status !== 0
    ? 'there is no nm'
    : undefined

// Functions that a compiler may call implicitly: to copy or fill a structure, or to check its stack.
const allowed = new Set(['memcpy', 'memset', '__stack_chk_fail', '_GLOBAL_OFFSET_TABLE_'])

// The child may run in the parent's memory. A call into libc could take the parent's locks or write its errno.
describe.skipIf(whySkipped !== undefined)(
  `the object files of the child's interpreter${whySkipped === undefined ? '' : ` (skipped: ${whySkipped})`}`,
  () => {
    const symbols = (...options: string[]) =>
      objects.flatMap(object =>
        execFileSync('nm', ['-P', ...options, object], { encoding: 'utf8' })
          .split('\n')
          .filter(line => line !== '')
          .map(line => line.split(' ') as [name: string, type: string]),
      )

    it('import nothing but from each other', () => {
      const own = new Set(symbols('--defined-only', '--extern-only').map(([name]) => name))
      expect(
        symbols('--undefined-only')
          .map(([name]) => name)
          .filter(name => !allowed.has(name) && !own.has(name)),
      ).toEqual([])
    })

    it('give one function that runs a program', () => {
      const given = symbols('--defined-only', '--extern-only').map(([name]) => name)
      expect(given.filter(name => name.includes('RunChildProgram')).length).toBe(1)
    })

    it('have no variable that they could write to', () => {
      expect(symbols('--defined-only').filter(([, type]) => 'bBdDcC'.includes(type))).toEqual([])
    })
  },
)
