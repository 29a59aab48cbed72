import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { interpreterOf, mappedFiles } from '../../lib/native/own-program.ts'
import { describeNative } from '../support/describe-native.ts'

const folder = mkdtempSync(join(tmpdir(), 'tracegate-own-program-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A program that cc makes of an empty main. */
function compiled(name: string, ...options: readonly string[]): string {
  const file = join(folder, name)
  execFileSync('cc', ['-x', 'c', '-', '-o', file, ...options], { input: 'int main(void) { return 0; }' })
  return file
}

describeNative('the dynamic loader that a program names', () => {
  it('is the one that the linker wrote down', () => {
    const loader = join(folder, 'ld-musl-x86_64.so.1')
    expect(interpreterOf(compiled('named', `-Wl,--dynamic-linker=${loader}`))).toBe(loader)
  })

  it('is none where the program is linked statically', () => {
    expect(interpreterOf(compiled('static', '-static'))).toBeUndefined()
  })

  it('is undefined for a file that is truncated, not ELF, or missing', () => {
    const whole = readFileSync(compiled('whole'))
    for (const bytes of [0, 3, 40, 64, 100]) {
      writeFileSync(join(folder, 'cut'), whole.subarray(0, bytes))
      expect(interpreterOf(join(folder, 'cut')), `${bytes} bytes`).toBeUndefined()
    }
    writeFileSync(join(folder, 'script'), '#!/bin/sh\n')
    expect(interpreterOf(join(folder, 'script'))).toBeUndefined()
    expect(interpreterOf(join(folder, 'nowhere'))).toBeUndefined()
  })
})

describe('the files that this process has mapped', () => {
  it('name its C library', () => {
    expect(mappedFiles()).toMatch(/ld-musl|ld-linux|libc\.so\.6/)
  })
})
