import { constants as nodeConstants } from 'node:os'
import { describe, expect, it } from 'vitest'
import { signalName, signalNumber } from '../../lib/system/signals.ts'

describe('signals', () => {
  it('every number from 1 to 64 has a name of its own, which is its number again', () => {
    const names = Array.from({ length: 64 }, (_, i) => signalName(i + 1))
    expect(new Set(names).size).toBe(64)
    for (const [i, name] of names.entries()) expect(signalNumber(name)).toBe(i + 1)
  })

  it.runIf(process.platform === 'linux')('the standard ones are those of Node', () => {
    for (const [name, number] of Object.entries(nodeConstants.signals)) expect(signalNumber(name), name).toBe(number)
  })

  it('real-time signals count from SIGRTMIN up and from SIGRTMAX down', () => {
    expect([34, 35, 63, 64].map(signalName)).toEqual(['SIGRTMIN', 'SIGRTMIN+1', 'SIGRTMIN+29', 'SIGRTMAX'])
    expect(['SIGRTMAX-1', 'SIGRTMAX-29', 'SIGRTMIN+0', 'SIGRTMIN+31', 'SIGRTMAX-30'].map(signalNumber)).toEqual([
      63,
      35,
      undefined,
      undefined,
      34,
    ])
  })

  it('the two that libc keeps for itself have names of their numbers', () => {
    expect([32, 33].map(signalName)).toEqual(['SIG32', 'SIG33'])
    expect(['SIG32', 'SIG33'].map(signalNumber)).toEqual([32, 33])
  })

  it('what Linux has no signal for still has a text', () => {
    expect([0, 65, 127].map(signalName)).toEqual(['SIG0', 'SIG65', 'SIG127'])
  })

  it('other names of the same signal are known', () => {
    expect(['SIGIOT', 'SIGPOLL', 'SIGCLD'].map(signalNumber)).toEqual([6, 29, 17])
  })

  it('a text that names none has no number', () => {
    for (const text of [
      '',
      'SIG',
      'TERM',
      'sigterm',
      'SIGTERM ',
      'SIG0',
      'SIG01',
      'SIG-1',
      'SIG1e3',
      'toString',
      '__proto__',
    ]) {
      expect(signalNumber(text), text).toBeUndefined()
    }
  })
})
