import { describe, it } from 'vitest'
import { refusals, refusesAsCommand } from './refusals.ts'

describe('tracegate', () => {
  it.each(refusals)('refuses %j with exit status 2 and one line that says why', refusesAsCommand)
})
