import { expect, it } from 'vitest'
import { type Calling, type HandlerAction, SimulatedKernel } from '../../../lib/sim/index.ts'

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

it('a mask never has SIGKILL and SIGSTOP', () => {
  const told: number[][] = []
  const { crash } = new SimulatedKernel().run(function* (process) {
    const mask = ['SIGKILL', 'SIGSTOP', 'SIGINT'] as const
    yield* process.sigaction('SIGTERM', function* () {}, { mask })
    const { mask: ofHandler } = yield* process.sigaction('SIGTERM', null)
    yield* process.sigprocmask('block', mask)
    told.push([...(ofHandler as number[])], yield* process.sigprocmask('block', []))
  })
  expect(crash).toBeNull()
  expect(told).toEqual([[2], [2]])
})

it.each([0, 65, -1])('a mask of the signal %s is refused', signal => {
  const codes: unknown[] = []
  new SimulatedKernel().run(function* (process) {
    for (const call of [
      () => process.sigprocmask('block', [signal]),
      () => process.sigaction('SIGTERM', 'ignore', { mask: [signal] }),
    ]) {
      try {
        yield* call() as Calling<unknown>
      } catch (error) {
        codes.push((error as { code: unknown }).code)
      }
    }
  })
  expect(codes).toEqual(['ERR_OUT_OF_RANGE', 'ERR_OUT_OF_RANGE'])
})
