import { afterEach, expect, it } from 'vitest'
import { launch } from '../../../lib/launch/launch.ts'
import { SimulatedKernel } from '../../../lib/sim/index.ts'
import { constants } from '../../../lib/system/constants.ts'
import { uncaughtDuring } from '../../support/uncaught.ts'

const { O_CLOEXEC, O_NONBLOCK } = constants

let kernel = new SimulatedKernel()
afterEach(() => {
  kernel = new SimulatedKernel()
})

it('a child of a simulated process with closed standard descriptors gets what was asked for', async () => {
  const system = kernel.host
  for (const fd of [0, 1, 2]) {
    try {
      system.close(fd)
    } catch {
      // Closed from the start.
    }
  }
  const child = await launch('/bin/cat', [], { system, trace: false })
  expect(child.stdio.every(stream => stream !== null && stream.fd > 2)).toBe(true)
  child.stdin!.end('through')
  let text = ''
  for await (const chunk of child.stdout!) text += chunk
  expect(text).toBe('through')
  await expect(
    launch('/bin/true', [], { system, trace: false, stdio: ['ignore', 'pipe', 'inherit'] }),
  ).rejects.toMatchObject({ code: 'EBADF', step: 'dup2' })
})

it('a simulated child’s handed-on standard descriptor is made blocking', async () => {
  const system = kernel.host
  const [r] = system.pipe2(O_CLOEXEC | O_NONBLOCK)
  const child = await launch('/bin/true', [], { system, trace: false, stdio: [r, 'ignore', 'ignore'] })
  await child.exited
  expect(system.fcntl(r, constants.F_GETFL) & O_NONBLOCK).toBe(0)
})

it('a simulated child’s stream goes on after a data listener that throws', async () => {
  let bytes = 0
  const caught = await uncaughtDuring(async () => {
    const child = await launch('/bin/cat', [], { system: kernel.host, trace: false })
    child.stdin!.end(Buffer.alloc(200_000))
    const closed = new Promise(resolve => child.once('close', resolve))
    child.stdout!.on('data', (chunk: Buffer) => {
      const isFirst = bytes === 0
      bytes += chunk.length
      if (isFirst) throw new Error('mine')
    })
    await closed
  })
  expect(caught).toMatchObject([{ message: 'mine' }])
  expect(bytes).toBe(200_000)
})
