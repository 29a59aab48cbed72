/** Which JavaScript runtime this is, and which of its threads, where the addon has to know. */

import { readlinkSync } from 'node:fs'

const { bun, deno } = process.versions

/** Bun and Deno load Node-API addons but run another event loop than libuv: Bun ends the process at most calls of libuv's, Deno has not got them. */
export const hasLibuv = bun === undefined && deno === undefined

/** Whether this is a worker. To load node:worker_threads takes longer than a launch, so the process's first thread does without: it is none. */
export function isWorker(): boolean {
  try {
    const [pid, , tid] = readlinkSync('/proc/thread-self').split('/')
    if (pid === tid) return false
  } catch {
    // No /proc, or one of other processes.
  }
  return !process.getBuiltinModule('node:worker_threads').isMainThread
}
