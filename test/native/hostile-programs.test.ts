import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { runScript } from '../support/node-script.ts'

describeNative('hostile programs', () => {
  it('whose parts change while they are read crash neither the process nor the child', async () => {
    const { code, signal, stdout, stderr } = await runScript('hostile-programs.mjs')
    expect({ code, signal, stdout, stderr }).toEqual({
      code: 0,
      signal: null,
      stdout: expect.stringMatching(/^\d+ programs, still here\n$/),
      stderr: '',
    })
  })
})
