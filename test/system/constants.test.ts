import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'

const whySkipped = process.platform === 'linux' ? whyNoCompiler : `the headers of ${process.platform} are not Linux's`

const headers = ['fcntl', 'sys/socket', 'poll', 'sys/epoll', 'sys/wait', 'sys/ptrace', 'signal', 'elf']

function valuesInC(names: readonly string[]): Record<string, number> {
  const source = [
    '#define _GNU_SOURCE',
    ...headers.map(header => `#include <${header}.h>`),
    '#include <linux/ptrace.h>',
    '#include <stdio.h>',
    'int main(void) {',
    '  printf("{\\"\\": 0");',
    ...names.map(name => `  printf(", \\"${name}\\": %u", (unsigned)(${name}));`),
    '  printf("}");',
    '}',
  ].join('\n')
  return JSON.parse(execFileSync(compileSource('constants', source), { encoding: 'utf8' }))
}

describe.skipIf(whySkipped !== undefined)(
  `constants${whySkipped === undefined ? '' : ` (skipped: ${whySkipped})`}`,
  () => {
    it('have the values of the headers', () => {
      // 64-bit headers define O_LARGEFILE as 0, because the kernel adds it. glibc 2.36 lacks the other two.
      const different = ['O_LARGEFILE', 'TRAP_PERF', 'SYS_SECCOMP']
      const names = Object.keys(constants).filter(name => !different.includes(name))
      const inC = valuesInC(names)
      const ours = Object.fromEntries(names.map(name => [name, constants[name as keyof typeof constants] >>> 0]))
      expect(ours).toEqual(Object.fromEntries(names.map(name => [name, inC[name]])))
    })
  },
)

describe('the object of constants', () => {
  it('cannot be changed', () => {
    expect(Object.isFrozen(constants)).toBe(true)
  })

  it('has whole numbers only', () => {
    for (const [name, value] of Object.entries(constants)) expect(Number.isInteger(value), name).toBe(true)
  })
})
