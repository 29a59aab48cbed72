import { expect, it } from 'vitest'
import { publishedLibrary } from '../support/compiled-library.ts'
import { runScript } from '../support/node-script.ts'
import { describeNative } from './support/native.ts'

describeNative('the library in a vm context', () => {
  it('launches, waits and disposes as elsewhere', async () => {
    const flags = ['--experimental-vm-modules', '--no-warnings']
    expect(await runScript('in-context.mjs', [publishedLibrary()], undefined, flags)).toEqual({
      code: 0,
      signal: null,
      stdout: 'ERR_TIMED_OUT\n-1\nSIGKILL\ntrue\n',
      stderr: '',
    })
  })
})
