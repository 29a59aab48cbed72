/** The simulated kernel as one of the worlds compared. */

import { SimulatedKernel, type SimulatedKernelOptions } from '../../lib/sim/index.ts'
import { scriptedThreads } from '../support/scripted-threads.ts'
import type { ChildState, World, WorldKind } from './world.ts'

const threads = '/bin/threads'

/** Simulated worlds whose programs' descriptors begin at `firstFd`, as in the world they are compared with. */
export function simulatedWorlds(firstFd: number, growsPipes: boolean, options: SimulatedKernelOptions): WorldKind {
  return { name: 'simulated', open: () => openSimulated(firstFd, growsPipes, options), close: () => {} }
}

function openSimulated(firstFd: number, growsPipes: boolean, options: SimulatedKernelOptions): World {
  const kernel = new SimulatedKernel({ ...options, programs: { [threads]: scriptedThreads } })
  const { host } = kernel
  while (host.dup(0) < firstFd - 1);
  return {
    name: 'simulated',
    system: host,
    firstFd,
    // The first process after init and the shell.
    pid: 100,
    uid: 0,
    growsPipes,
    threads,
    settle: () => kernel.settle(),
    stateOf: child => {
      const found = kernel.blocked().find(({ tid }) => tid === child)
      return found === undefined ? 'ended' : (stateNames.get(found.on) ?? 'waits')
    },
    leave: () => {},
  }
}

const stateNames = new Map<string, ChildState>([
  ['stopped', 'stopped'],
  ['traced', 'traced'],
])
