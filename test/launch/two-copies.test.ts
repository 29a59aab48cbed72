import { expect, it } from 'vitest'
import { publishedLibrary } from '../support/compiled-library.ts'
import { runScript } from '../support/node-script.ts'
import { describeNative } from './support/native.ts'

describeNative('two copies of the library in one process', () => {
  it('each trace their own programs and leave those of the other alone', async () => {
    const stdout = '40 started\n'
    expect(await runScript('two-copies.mjs', [publishedLibrary()])).toEqual({
      code: 0,
      signal: null,
      stdout,
      stderr: '',
    })
  })
})
