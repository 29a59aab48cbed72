/** Launches while other threads change the shared environment. */

import { expect, it } from 'vitest'
import { describeNative } from '../support/describe-native.ts'
import { runScript } from '../support/node-script.ts'
import { rounds } from '../support/rounds.ts'

describeNative('the environment', () => {
  it('may be changed by workers that share it while programs are launched', async () => {
    const { code, signal, stdout, stderr } = await runScript('changing-environment.mjs', [String(rounds(50, 300))])
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
    expect(stdout).toBe('launched\n')
  })
})
