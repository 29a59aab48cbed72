/** Limits of this machine, which the simulated kernel is configured with so that both worlds have the same. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { Pair } from './check.ts'
import type { Family } from './families/index.ts'
import { hasCapability, nativeWorlds, ownLimit } from './native-world.ts'
import { simulatedWorlds } from './simulated-world.ts'

/** A soft limit of this process, by prlimit(1), which may not be installed. */
function setLimit(name: 'nofile' | 'core', soft: number): void {
  try {
    execFileSync('prlimit', [`--pid=${process.pid}`, `--${name}=${soft}:`], { stdio: 'ignore' })
  } catch {
    // Without prlimit(1) the worlds are compared with the present limit.
  }
}

/** Whether this process's group is orphaned, so that a terminal's stop signals have no effect in it. */
export function isOwnGroupOrphaned(): boolean {
  const all = new Map<number, { parent: number; group: number; session: number }>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'latin1')
      const [, parent, group, session] = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number)
      all.set(Number(name), { parent: parent!, group: group!, session: session! })
    } catch {
      // The process ended meanwhile.
    }
  }
  const own = all.get(process.pid)
  if (own === undefined) return true
  return ![...all.values()].some(({ parent, group, session }) => {
    const of = all.get(parent)
    return group === own.group && of !== undefined && of.group !== own.group && of.session === session && parent !== 1
  })
}

/** Why children cannot be traced here at every moment; undefined when they can. */
export function whyNoTracing(): string | undefined {
  if (process.getuid?.() === 0) return undefined
  try {
    const scope = Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8'))
    return scope >= 2 ? `Yama's ptrace_scope is ${scope}` : undefined
  } catch {
    return undefined
  }
}

/** Runs the work with the real kernel and simulated ones of the same limits. */
export function withWorlds<Result>(family: Family | undefined, work: (worlds: Pair) => Result): Result {
  // A child shares this process's memory, so its core dump would contain all of it.
  if (ownLimit('Max core file size') > 0) setLimit('core', 0)
  const before = ownLimit('Max open files')
  const native = nativeWorlds()
  if (family?.descriptorLimit !== undefined) setLimit('nofile', native.firstFd + family.descriptorLimit)
  try {
    const growsPipes = hasCapability(24)
    const other = simulatedWorlds(native.firstFd, growsPipes, {
      limits: { nofile: ownLimit('Max open files'), core: ownLimit('Max core file size') },
      // CAP_NET_RAW stands for all of root's capabilities. Programs of this size never reach the limit on pipes.
      privileged: process.getuid?.() === 0 && hasCapability(13),
    })
    return work({ one: native, other })
  } finally {
    native.close()
    if (family?.descriptorLimit !== undefined) setLimit('nofile', before)
  }
}
