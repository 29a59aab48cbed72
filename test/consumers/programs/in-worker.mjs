// The same as esm.mjs, in a worker thread.
import { Worker } from 'node:worker_threads'

const worker = new Worker(new URL('esm.mjs', import.meta.url))
worker.on('error', error => {
  throw error
})
