import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const object = fileURLToPath(
  new URL('../../build/Release/obj.target/tracegate/src/child/interpreter.o', import.meta.url),
)

const whySkipped = !existsSync(object)
  ? 'no release build of the interpreter'
  : spawnSync('nm', ['--version']).status !== 0
    ? 'there is no nm'
    : undefined

// Functions that a compiler may call implicitly: to copy or fill a structure, or to check its stack.
const allowed = new Set(['memcpy', 'memset', '__stack_chk_fail', '_GLOBAL_OFFSET_TABLE_'])

// The child may run in the parent's memory. A call into libc could take the parent's locks or write its errno.
describe.skipIf(whySkipped !== undefined)(
  `the object file of the child's interpreter${whySkipped === undefined ? '' : ` (skipped: ${whySkipped})`}`,
  () => {
    const symbols = (...options: string[]) =>
      execFileSync('nm', ['-P', ...options, object], { encoding: 'utf8' })
        .split('\n')
        .filter(line => line !== '')
        .map(line => line.split(' ') as [name: string, type: string])

    it('imports nothing', () => {
      expect(
        symbols('--undefined-only')
          .map(([name]) => name)
          .filter(name => !allowed.has(name)),
      ).toEqual([])
    })

    it('gives one function', () => {
      const given = symbols('--defined-only', '--extern-only').map(([name]) => name)
      expect(given.filter(name => name.includes('RunChildProgram')).length).toBe(1)
    })

    it('has no variable that it could write to', () => {
      expect(symbols('--defined-only').filter(([, type]) => 'bBdDcC'.includes(type))).toEqual([])
    })
  },
)
