/** What a simulated host and the native System answer alike, about files that each opens in its own way. */

import { closeSync, openSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { openSystem } from '../../../lib/index.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { constants } from '../../../lib/system/constants.ts'
import type { System } from '../../../lib/system/system.ts'
import { describeNative } from '../../support/describe-native.ts'

const { POLLIN, POLLOUT, POLLPRI } = constants

/** An epoll refuses /dev/null. */
function answersOnNull(openNull: () => { readonly system: System; readonly fd: number }): void {
  it('awaits no readiness of /dev/null: it answers at once', async () => {
    const { system, fd } = openNull()
    expect(await system.ready(fd, POLLIN | POLLOUT)).toBe(POLLIN | POLLOUT)
    expect(await system.ready(fd, POLLPRI)).toBe(0)
  })

  it('refuses to watch /dev/null', () => {
    const { system, fd } = openNull()
    const refused = expect.objectContaining({ code: 'EPERM', syscall: 'ready' })
    expect(() => system.watch(fd, POLLIN, { ready() {}, failed() {} })).toThrow(refused)
  })
}

describe('the host of a simulated world', () => {
  answersOnNull(() => ({ system: new SimulatedKernel().host, fd: 0 }))
})

describeNative('the native system', () => {
  const fd = openSync('/dev/null', 'r+')
  afterAll(() => closeSync(fd))
  answersOnNull(() => ({ system: openSystem('native'), fd }))
})
