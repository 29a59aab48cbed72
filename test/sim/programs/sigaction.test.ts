import { expect, it } from 'vitest'
import { type HandlerAction, SimulatedKernel } from '../../../lib/sim/index.ts'

it('sigaction tells the action there was, which can be given back as it is', () => {
  const told: HandlerAction[] = []
  function* handler() {}
  const { crash } = new SimulatedKernel().run(function* (process) {
    told.push(yield* process.sigaction('SIGTERM', handler, { restart: true, mask: ['SIGINT'] }))
    told.push(yield* process.sigaction('SIGTERM', 'ignore'))
    told.push(yield* process.sigaction('SIGTERM', told[1]!))
    told.push(yield* process.sigaction('SIGTERM', null))
    told.push(yield* process.sigaction('SIGTERM', null))
    told.push(yield* process.sigaction('SIGKILL', null))
  })
  expect(crash).toBeNull()
  const plain = { restart: false, noDefer: false, once: false, noChildWait: false, noChildStop: false, mask: [] }
  const handled = { ...plain, handler, restart: true, mask: [2] }
  const byDefault = { ...plain, handler: 'default' }
  expect(told).toEqual([byDefault, handled, { ...plain, handler: 'ignore' }, handled, handled, byDefault])
})
