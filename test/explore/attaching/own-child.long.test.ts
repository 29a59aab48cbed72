import { describe, it } from 'vitest'
import { attachToOwn, letGoes } from '../protocol/attaching-to-own.ts'
import { limit, note, printsCounts, prove } from '../protocol/prove.ts'

describe('attach() to a child that launch() has started', limit, () => {
  printsCounts()

  it.each(letGoes)('is seen under every schedule with a preemption (%s)', async how => {
    note(await prove(attachToOwn(how), { preemptions: 1 }), `one preemption: ${how}`)
  })

  it.each(letGoes)('survives a kill at each step and each errno of each call (%s)', async how => {
    note(await prove(attachToOwn(how), { preemptions: 0, faults: 1 }), `one fault: ${how}`)
  })
})
