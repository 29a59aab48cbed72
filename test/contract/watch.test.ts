import { expect, it } from 'vitest'
import { constants } from '../../lib/system/constants.ts'
import { uncaughtDuring } from '../support/uncaught.ts'
import { bytes, rejection } from './helpers.ts'
import { describeContract } from './suite.ts'

const { O_NONBLOCK, POLLIN, POLLOUT } = constants

describeContract('watch', world => {
  const nothing = { ready: () => {}, failed: () => {} }

  it('calls its listener again for as long as there is something, until stopped', async () => {
    const { system } = world
    const [r, w] = system.pipe2(O_NONBLOCK)
    system.write(w, bytes('abc'))
    let heard = ''
    await new Promise<void>(resolve => {
      const watch = system.watch(r, POLLIN, {
        ready: revents => {
          expect(revents).toBe(POLLIN)
          const one = new Uint8Array(1)
          system.read(r, one)
          heard += String.fromCharCode(one[0]!)
          if (heard.length === 2) {
            watch.stop()
            watch.stop()
            resolve()
          }
        },
        failed: () => expect.unreachable(),
      })
    })
    await system.ready(r, POLLIN)
    expect(heard).toBe('ab')
  })

  it('goes on after a listener that throws, which is an uncaught exception', async () => {
    const { system } = world
    const [r, w] = system.pipe2(O_NONBLOCK)
    system.write(w, bytes('ab'))
    let calls = 0
    const caught = await uncaughtDuring(async () => {
      await new Promise<void>(resolve => {
        const watch = system.watch(r, POLLIN, {
          ready: () => {
            system.read(r, new Uint8Array(1))
            if (++calls === 1) throw new Error('mine')
            watch.stop()
            resolve()
          },
          failed: () => expect.unreachable(),
        })
      })
    })
    expect(calls).toBe(2)
    expect(caught).toMatchObject([{ message: 'mine' }])
  })

  it('ends with EBADF when the descriptor is closed', async () => {
    const { system } = world
    const [r] = system.pipe2()
    const failed = new Promise<unknown>(resolve =>
      system.watch(r, POLLIN, { ready: () => expect.unreachable(), failed: resolve }),
    )
    const alsoReady = rejection(system.ready(r, POLLIN))
    system.close(r)
    expect(await failed).toMatchObject({ code: 'EBADF' })
    expect(await alsoReady).toMatchObject({ code: 'EBADF' })
  })

  it('is refused without the functions to call', () => {
    const { system } = world
    for (const wrong of [undefined, null, 1, {}, { ready() {} }, { ready() {}, failed: 1 }]) {
      expect(() => system.watch(0, POLLIN, wrong as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      )
    }
  })

  it('of a descriptor that is not open throws EBADF', () => {
    expect(() => world.system.watch(9000, POLLOUT, nothing)).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })

  it('stopped by another listener of the same event is not called', async () => {
    const { system } = world
    const [r, w] = system.pipe2()
    let calls = 0
    const first = system.watch(r, POLLIN, {
      ready: () => {
        calls++
        first.stop()
        second.stop()
      },
      failed: () => {},
    })
    const second = system.watch(r, POLLIN, { ready: () => calls++, failed: () => {} })
    system.write(w, bytes('x'))
    await system.ready(r, POLLIN)
    await system.ready(r, POLLIN)
    expect(calls).toBeLessThanOrEqual(1)
    first.stop()
    second.stop()
  })
})
