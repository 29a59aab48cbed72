import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { syscallName, syscallNumber } from '../lib/index.ts'
import type { Architecture } from '../lib/system/architecture.ts'
import { thrown } from './contract/helpers.ts'

const architectures = ['x64', 'ia32', 'arm64', 'arm'] as const

describe('the names of system calls', () => {
  it.for([
    ['x64', 59, 'execve'],
    ['x64', 0, 'read'],
    ['x64', 334, 'rseq'],
    ['x64', 336, 'uprobe'],
    ['x64', 424, 'pidfd_send_signal'],
    ['x64', 469, 'file_setattr'],
    ['ia32', 11, 'execve'],
    ['ia32', 192, 'mmap2'],
    ['ia32', 422, 'futex_time64'],
    ['ia32', 469, 'file_setattr'],
    ['arm64', 221, 'execve'],
    ['arm64', 80, 'fstat'],
    ['arm64', 469, 'file_setattr'],
    ['arm', 11, 'execve'],
    ['arm', 341, 'arm_sync_file_range'],
    ['arm', 469, 'file_setattr'],
    ['arm', 0xf0002, 'cacheflush'],
    ['arm', 0xf0005, 'set_tls'],
  ] as const)('on %s %s is %s, both ways', ([architecture, number, name]) => {
    expect(syscallName(number, architecture)).toBe(name)
    expect(syscallNumber(name, architecture)).toBe(number)
  })

  it.for(architectures)('are each of one number on %s', architecture => {
    let count = 0
    for (let number = 0; number <= 1000; number++) {
      const name = syscallName(number, architecture)
      if (name === undefined) continue
      count++
      expect(name).toMatch(/^[a-z_][a-z0-9_]*$/)
      expect(syscallNumber(name, architecture)).toBe(number)
    }
    expect(count).toBe({ x64: 383, ia32: 459, arm64: 325, arm: 422 }[architecture])
  })

  it('are undefined where there are none', () => {
    for (const number of [-1, 1.5, Number.NaN, 337, 470, 1e9]) expect(syscallName(number, 'x64')).toBeUndefined()
    expect(syscallName(222, 'ia32')).toBeUndefined()
    expect(syscallNumber('open', 'arm64')).toBeUndefined()
    expect(syscallNumber('', 'x64')).toBeUndefined()
    expect(syscallNumber('constructor', 'x64')).toBeUndefined()
  })

  it('are refused for what is no number, no name and no architecture', () => {
    const wrongType = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
    const wrongValue = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
    expect(thrown(() => syscallName('1' as never, 'x64'))).toMatchObject(wrongType)
    expect(thrown(() => syscallNumber(1 as never, 'x64'))).toMatchObject(wrongType)
    expect(thrown(() => syscallName(1, undefined as never))).toMatchObject(wrongType)
    expect(thrown(() => syscallName(1, 'mips' as never))).toMatchObject(wrongValue)
    expect(thrown(() => syscallNumber('read', 'toString' as never))).toMatchObject(wrongValue)
  })
})

/** Where Linux machines may have the header of each architecture. */
const headers: readonly (readonly [Architecture, string])[] = [
  ['x64', '/usr/include/x86_64-linux-gnu/asm/unistd_64.h'],
  ['ia32', '/usr/include/x86_64-linux-gnu/asm/unistd_32.h'],
  ['arm64', '/usr/include/asm-generic/unistd.h'],
  ['arm', '/usr/arm-linux-gnueabihf/include/asm/unistd-common.h'],
]

/**
 * Calls of 32 bits in the header that is common to many architectures, the ends of its lists, and another machine's.
 */
const others = /_time64$|^(clock|timer|timerfd)_\w+64$|^(syscalls|arch_specific_syscall|sync_file_range2)$/

describe.for(headers)('the header of %s', ([architecture, header]) => {
  it.skipIf(!existsSync(header))('has no call that is missing or of another number', () => {
    const calls = [...readFileSync(header, 'utf8').matchAll(/^#define __NR_(\w+) (\d+)$/gm)]
    expect(calls.length).toBeGreaterThan(200)
    const different = calls
      .map(([, name, number]) => [name!, Number(number)] as const)
      .filter(([name, number]) => syscallNumber(name, architecture) !== number)
    expect(different.filter(([name]) => architecture !== 'arm64' || !others.test(name))).toEqual([])
  })
})
