/**
 * A native call that blocks forever stops the whole thread, and every timeout of the test runner with it. A
 * watcher thread therefore checks the test's event loop. If the loop does not turn for a long time, the watcher
 * names the test and ends the process.
 */

import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { processLimitMs } from './time-limits.ts'

const nameBytes = 512

const watcher = (longestBlockMs: number) => `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const beat = new Int32Array(workerData, 0, 2)
const name = new Uint8Array(workerData, 8)
for (;;) {
  const seen = Atomics.load(beat, 0)
  if (Atomics.wait(beat, 0, seen, ${longestBlockMs}) !== 'timed-out') continue
  const text = Buffer.from(name.slice(0, Atomics.load(beat, 1))).toString()
  writeSync(2, '\\nthe test blocked its thread for ${longestBlockMs} ms and was ended: ' + text + '\\n')
  process.kill(process.pid, 'SIGKILL')
}`

/** Call this in a describe block whose tests make native calls that block. */
export function rescueFromBlocking(longestBlockMs = processLimitMs): void {
  const shared = new SharedArrayBuffer(8 + nameBytes)
  const beat = new Int32Array(shared, 0, 2)
  const name = new Uint8Array(shared, 8)
  let worker: Worker | undefined
  let heart: NodeJS.Timeout | undefined

  const turn = () => {
    Atomics.add(beat, 0, 1)
    Atomics.notify(beat, 0)
  }
  beforeAll(async () => {
    worker = new Worker(watcher(longestBlockMs), { eval: true, workerData: shared })
    await new Promise(resolve => worker?.once('online', resolve))
    heart = setInterval(turn, 1000)
  })
  beforeEach(context => {
    const { written } = new TextEncoder().encodeInto(context.task.name, name)
    Atomics.store(beat, 1, written)
    turn()
  })
  afterAll(async () => {
    clearInterval(heart)
    await worker?.terminate()
  })
}
