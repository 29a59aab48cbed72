import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { runScript } from '../support/node-script.ts'

describeNative('random calls with random arguments', () => {
  const fresh = Math.floor(Math.random() * 2 ** 31)

  it.for([1, 2, 3, fresh])(
    'do not crash the process, and fail with errors of the contract only: seed %i',
    async seed => {
      const { code, signal, stdout, stderr } = await runScript('fuzz.mjs', [String(seed), '8000'])
      expect({ code, signal, stdout, stderr }, `seed ${seed}`).toEqual({
        code: 0,
        signal: null,
        stdout: 'still here\n',
        stderr: '',
      })
    },
  )
})
