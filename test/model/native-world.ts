/** The real kernel as one of the worlds compared. */

import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { openSystem } from '../../lib/open-system.ts'
import { constants } from '../../lib/system/constants.ts'
import type { System } from '../../lib/system/system.ts'
import { compileFixture } from '../support/c-program.ts'
import { openDescriptors } from '../support/process-table.ts'
import type { ChildState, World, WorldKind } from './world.ts'

const longestSettlingMs = 5000

/**
 * The real kernel. Nothing else in the process may open descriptors meanwhile: until `close()` every number below
 * `firstFd` is taken, so that a program's descriptors have comparable numbers from `firstFd` on.
 */
export function nativeWorlds(): WorldKind & { readonly firstFd: number } {
  const system = openSystem('native')
  const highest = Math.max(...openDescriptors().keys())
  const blockers: number[] = []
  for (let fd = openSync('/dev/null', 'r'); ; fd = system.dup(fd)) {
    blockers.push(fd)
    if (fd > highest) break
  }
  const firstFd = blockers.at(-1)! + 1
  const pid = ownPid(system)
  const world: World = {
    name: 'native',
    system,
    firstFd,
    pid,
    uid: process.getuid?.() ?? 0,
    growsPipes: hasCapability(24),
    get threads() {
      return compileFixture('threads')
    },
    settle: (children, deep) => settleNative(children, deep),
    stateOf: child => stateNames.get(look(child).state) ?? 'ended',
    leave: () => {
      seen.clear()
      closeFrom(system, firstFd)
    },
  }
  return {
    name: 'native',
    firstFd,
    open: () => world,
    close: () => {
      for (const fd of blockers) closeSync(fd)
    },
  }
}

/** Closes what an aborted program may have left open, so that the next program's numbers are right. */
function closeFrom(system: System, firstFd: number): void {
  const free = system.dup(firstFd - 1)
  system.close(free)
  if (free === firstFd) return
  for (const fd of openDescriptors().keys()) if (fd >= firstFd) system.close(fd)
}

/** This process's number as SO_PEERCRED reports it, which is right inside a pid namespace too. */
function ownPid(system: System): number {
  const pair = system.socketpair(constants.AF_UNIX, constants.SOCK_STREAM)
  const pid = system.getsockopt(pair[0], constants.SOL_SOCKET, constants.SO_PEERCRED)
  for (const fd of pair) system.close(fd)
  return pid
}

/** Whether the kernel grants this process a capability, by its bit. */
export function hasCapability(bit: number): boolean {
  const mask = /^CapEff:\s+(\w+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  return ((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 1n
}

/** A resource's soft limit. */
export function ownLimit(name: string): number {
  const line = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(readFileSync('/proc/self/limits', 'latin1'))
  return line?.[1] === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(line?.[1])
}

const stateNames = new Map<string, ChildState>([
  ['S', 'waits'],
  ['T', 'stopped'],
  ['t', 'traced'],
  ['D', 'waits'],
])

/** A process as /proc shows it: its state, and how often it has gone to sleep. */
interface Look {
  readonly state: string
  readonly sleeps: string
}

const text = Buffer.alloc(4096)

function look(pid: number): Look {
  let fd: number
  try {
    fd = openSync(`/proc/${pid}/status`, 'r')
  } catch {
    return { state: 'gone', sleeps: '' }
  }
  try {
    const status = text.toString('latin1', 0, readSync(fd, text))
    let state = status[status.indexOf('State:\t') + 7] ?? '?'
    // A sleep that lasts: until a vforked child execs, or until the other threads have ended.
    if (state === 'D' && !isLasting(callOf(pid), status)) state = '?'
    const sleeps = status.slice(status.indexOf('\nvoluntary_ctxt_switches:'))
    return { state, sleeps }
  } catch {
    return { state: 'gone', sleeps: '' }
  } finally {
    closeSync(fd)
  }
}

const isArm64 = process.arch === 'arm64'
const vforks: ReadonlySet<string> = new Set(isArm64 ? ['220'] : ['56', '58'])
const execve = isArm64 ? '221' : '59'

/** Of an execve without other threads a sleep is one for the disk. */
function isLasting(call: string, status: string): boolean {
  return vforks.has(call) || (call === execve && !/^Threads:\t1$/m.test(status))
}

/** The number of a sleeping task's system call. */
function callOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ')[0]!
  } catch {
    return ''
  }
}

/** Tasks of the current program: orphans are no longer found as children. */
const seen = new Set<number>()

/** The tasks of these processes, of their children and so on, each once. */
function withAllTasks(pids: readonly number[]): number[] {
  const found = new Set<number>()
  const visit = (pid: number): void => {
    if (found.has(pid)) return
    found.add(pid)
    for (const tid of namesIn(`/proc/${pid}/task`)) {
      found.add(tid)
      for (const child of wordsIn(`/proc/${pid}/task/${tid}/children`)) visit(child)
    }
  }
  for (const pid of [...pids, ...seen]) visit(pid)
  for (const tid of found) seen.add(tid)
  return [...found].sort((a, b) => a - b)
}

function namesIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number)
  } catch {
    return []
  }
}

function wordsIn(file: string): number[] {
  try {
    return readFileSync(file, 'latin1').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Running, waking, exiting, or in a sleep that ends by itself. */
const isMoving = ({ state }: Look) => state === 'R' || state === 'X' || state === '?'

/**
 * Waits until all children are at rest. No event reports that, so their states are polled.
 *
 * A child may wake another and come to rest before the other is looked at. So all must be at rest in two consecutive
 * looks, with unchanged sleep counts: then none ran in between, and there was an instant at which all were at rest.
 */
function settleNative(known: readonly number[], deep: boolean): void {
  const deadline = performance.now() + longestSettlingMs
  let before: readonly Look[] = []
  for (;;) {
    const children = deep ? withAllTasks(known) : known
    const now = children.map(look)
    if (!now.some(isMoving)) {
      const alive = now.filter(({ state }) => state !== 'Z' && state !== 'gone')
      // A single task may have made another since the list was read.
      if (!deep && alive.length < 2 && children.length < 2) return
      const isSame = now.every(({ state, sleeps }, i) => state === before[i]?.state && sleeps === before[i]?.sleeps)
      if (isSame && now.length === before.length) return
      before = now
    } else {
      before = []
    }
    if (performance.now() > deadline) throw new Error(`children do not come to rest: ${JSON.stringify(now)}`)
  }
}
