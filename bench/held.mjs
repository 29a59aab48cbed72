// Memory that a held child costs its parent.

import { readFileSync } from 'node:fs'
import { launch } from 'tracegate'

const held = 200

function residentKib() {
  const collect = /** @type {() => void} */ (globalThis.gc)
  collect()
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

async function holdMany(options) {
  const children = await Promise.all(Array.from({ length: held }, () => launch('/bin/true', [], options)))
  const resident = residentKib()
  for (const child of children) if ('cont' in child) child.cont()
  await Promise.all(children.map(child => child.exited))
  return resident
}

/**
 * KiB of the parent's memory per held child, for several kinds of stdio. Measured with 200 children held at
 * their exec.
 */
export async function heldMemory() {
  /** @type {[string, import('tracegate').LaunchOptions][]} */
  const kinds = [
    ["stdio: 'inherit'", { stdio: 'inherit' }],
    ['three pipes', {}],
  ]
  const rows = []
  for (const [name, options] of kinds) {
    // The first run allocates what stays for good: code, pools, spare heap.
    await holdMany(options)
    const before = residentKib()
    const during = await holdMany(options)
    rows.push({ name, kib: (during - before) / held })
  }
  return rows
}
