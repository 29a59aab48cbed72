/** The checks of `tracegate doctor`, each after those that it depends on. */

import { existsSync } from 'node:fs'
import { launch } from '../launch/launch.ts'
import { type AddonSearch, searchAddon } from '../native/load-addon.ts'
import { contentOf, yamaScope } from '../native/proc.ts'
import { openSystem } from '../open-system.ts'
import { cures } from './cures.ts'
import type { Fact } from './fact.ts'
import { descriptorsFact, processesFact } from './limits.ts'
import { addonFact, kernelFact, libcFact } from './machine.ts'
import { capabilitiesFact, seccompFact, yamaFact } from './permissions.ts'
import { openDescriptors, tasksOfUser } from './proc.ts'
import { debugRegistersFact, pidfdFact, seizeFact, sharedMemoryFact, tracemeFact } from './tracing.ts'

/** The result of the examination. */
export interface Examination {
  /** Whether launching works. */
  readonly ok: boolean
  readonly facts: readonly Fact[]
}

/** Examines this machine. Attempts use children of this process, and none remains. */
export async function examine(): Promise<Examination> {
  const search = searchAddon()
  const facts = [kernelFact()]
  if (process.platform === 'linux') facts.push(libcFact())
  facts.push(addonFact(search), ...systemFacts(process.env.TRACEGATE_SYSTEM))
  if (process.platform === 'linux') facts.push(...factsOfProc(), ...(await triedFacts(search)))
  return { ok: facts.every(({ status }) => status !== 'fail'), facts }
}

/** The effect of TRACEGATE_SYSTEM, if it disables the native system for launches. */
function systemFacts(chosen = ''): Fact[] {
  const name = 'system'
  const cure = 'unset TRACEGATE_SYSTEM'
  if (chosen === '' || chosen === 'native') return []
  if (chosen === 'simulated')
    return [{ name, status: 'warn', detail: 'TRACEGATE_SYSTEM=simulated: launches are simulated', cure }]
  return [{ name, status: 'fail', detail: `TRACEGATE_SYSTEM is '${chosen}', not 'native' or 'simulated'`, cure }]
}

function factsOfProc(): Fact[] {
  const status = contentOf('/proc/self/status')
  const limits = contentOf('/proc/self/limits')
  if (status === undefined || limits === undefined) {
    const detail = '/proc is not mounted, or may not be read: permissions and limits are not known'
    return [{ name: 'proc', status: 'warn', detail, cure: 'mount -t proc proc /proc; for Deno: --allow-all' }]
  }
  if (!new RegExp(`^Pid:\\s*${process.pid}$`, 'm').test(status)) {
    const detail = '/proc is that of another pid namespace: attach() is refused, and nothing can be said of processes'
    return [{ name: 'proc', status: 'warn', detail, cure: 'mount -t proc proc /proc, in this pid namespace' }]
  }
  const uid = process.getuid?.() ?? 0
  const uidMap = contentOf('/proc/self/uid_map') ?? everyUser
  return [
    yamaFact(yamaScope(), existsSync('/proc/sys/kernel')),
    seccompFact(status),
    capabilitiesFact(status, uid === 0, !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap)),
    descriptorsFact(limits, openDescriptors()),
    // Root of a user namespace is another user outside. Only the initial namespace's root is exempt from RLIMIT_NPROC.
    processesFact(limits, tasksOfUser(uid), uid === 0 && /^\s*0\s+0\s/.test(uidMap)),
  ]
}

/** The full mapping: a kernel without user namespaces has no uid_map. */
const everyUser = '0 0 4294967295'

/** The facts that only the addon can test. */
const triedNames = ['shared memory', 'pidfd', 'traceme', 'seize', 'debug registers', 'launch'] as const

function untriedFact(name: string): Fact {
  return {
    name,
    status: 'warn',
    detail: 'not tried: there is no addon to try it with',
    cure: 'see the line of the addon',
  }
}

async function triedFacts({ addon }: AddonSearch): Promise<Fact[]> {
  if (addon === undefined) return triedNames.map(untriedFact)
  const system = openSystem('native')
  return [
    ...[sharedMemoryFact(addon), pidfdFact(addon)],
    ...[tracemeFact(system), seizeFact(system), debugRegistersFact(system)],
    await launchFact(),
  ]
}

/** Tests a launch: this Node, killed at its exec, so that none of its code runs. */
async function launchFact(): Promise<Fact> {
  const name = 'launch'
  const start = performance.now()
  try {
    const tracee = await launch(process.execPath, [], {
      system: openSystem('native'),
      stdio: 'ignore',
      timeoutMs: 10_000,
    })
    const us = Math.round((performance.now() - start) * 1000)
    await tracee[Symbol.asyncDispose]()
    return { name, status: 'ok', detail: `a program was held before its first instruction, ${us} us after the start` }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    return { name, status: 'fail', detail: message, cure: cures[code] ?? 'see the lines above' }
  }
}
