import { describe, it } from 'vitest'
import { attachToOwn, letGoes } from '../protocol/attaching-to-own.ts'
import { limit, note, printsCounts, prove } from '../protocol/prove.ts'

describe('attach() to a child that launch() has started', limit, () => {
  printsCounts()

  it.each(letGoes)('is seen under every schedule without a preemption (%s)', async how => {
    note(await prove(attachToOwn(how), { preemptions: 0 }), `no preemption: ${how}`)
  })
})
