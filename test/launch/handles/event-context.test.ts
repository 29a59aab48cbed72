/** The events of a child have the AsyncLocalStorage of its own launch, as in child_process. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { attach } from '../../../lib/launch/attach.ts'
import { launch } from '../../../lib/launch/launch.ts'
import { describeNative } from '../support/native.ts'

const storage = new AsyncLocalStorage<string>()
const requests = ['one', 'two', 'three']
const exits = ['-c', 'sleep 0.1; exit 1']

/** Runs a body within each of several requests at once; what each has noted. */
async function withinEach(body: (note: () => void) => Promise<void>): Promise<(string | undefined)[][]> {
  return await Promise.all(
    requests.map(request =>
      storage.run(request, async () => {
        const noted: (string | undefined)[] = []
        await body(() => void noted.push(storage.getStore()))
        return noted
      }),
    ),
  )
}

describeNative('the asynchronous context of events', () => {
  it('of a child is that of its launch', async () => {
    const noted = await withinEach(async note => {
      const child = await launch('/bin/sh', exits, { trace: false, stdio: 'ignore' })
      child.on('exit', note).on('close', note)
      await once(child, 'close')
    })
    expect(noted).toEqual(requests.map(request => [request, request]))
  })

  it('is that of the launch for listeners from elsewhere, too', async () => {
    const child = await storage.run('launch', () => launch('/bin/sh', exits, { trace: false, stdio: 'ignore' }))
    const seen = await new Promise(resolve => child.on('exit', () => resolve(storage.getStore())))
    expect(seen).toBe('launch')
  })

  it('of stops, of threads and of followed processes is that of the launch', async () => {
    const noted = await withinEach(async note => {
      const tracee = await launch('/bin/sh', ['-c', '/bin/true; exit 1'], { follow: 'all', stdio: 'ignore' })
      tracee.on('stop', note).mainThread.on('stop', note).on('end', note)
      tracee.on('follow', followed => followed.on('stop', note).on('exit', note).mainThread.on('end', note))
      await tracee.run()
    })
    for (const [at, request] of requests.entries()) {
      expect(noted[at]!.length).toBeGreaterThan(6)
      expect(new Set(noted[at])).toEqual(new Set([request]))
    }
  })

  it('is that of attach() for what it gives', async () => {
    const child = await storage.run('launch', () => launch('/bin/sleep', ['1000'], { trace: false, stdio: 'ignore' }))
    const tracee = await storage.run('attach', () => attach(child.pid))
    const seen: (string | undefined)[] = []
    child.on('exit', () => seen.push(storage.getStore()))
    tracee.on('exit', () => seen.push(storage.getStore()))
    child.kill('SIGKILL')
    await tracee.exited
    await child.exited
    expect(seen.sort()).toEqual(['attach', 'launch'])
  })
})
