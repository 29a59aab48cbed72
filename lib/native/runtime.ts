/** The JavaScript runtime and thread that this is, where the addon depends on them. */

import { readlinkSync } from 'node:fs'

const { bun, deno } = process.versions

/**
 * Bun and Deno load Node-API addons, but their event loop is not libuv's. Bun ends the process at most libuv calls;
 * Deno lacks them.
 */
export const hasLibuv = bun === undefined && deno === undefined

/** Whether this is a worker. The first thread skips node:worker_threads, whose loading takes longer than a launch. */
export function isWorker(): boolean {
  try {
    const [pid, , tid] = readlinkSync('/proc/thread-self').split('/')
    if (pid === tid) return false
  } catch {
    // /proc is absent, or shows other processes.
  }
  return !process.getBuiltinModule('node:worker_threads').isMainThread
}
