/** The programs that are attached to in the proofs, and what is done with them then. */

import type { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { isErrno } from '../../../lib/system/errors.ts'
import { type Act, type Attachable, expectAtRest, startContinuing } from './attaching.ts'

export const programs: readonly Attachable[] = [
  { name: 'one thread', script: 'x3', follow: 'threads', ends: [3] },
  { name: 'a thread comes and goes', script: 't(e)x3', follow: 'threads', ends: [3] },
  { name: 'a thread comes and stays', script: 't(p)x3', follow: 'threads', ends: [3] },
  { name: 'a thread starts another', script: 't(t(e)e)x3', follow: 'threads', ends: [3] },
  { name: 'two threads come and go', script: 't(e)t(e)x3', follow: 'threads', ends: [3] },
  { name: 'the main thread ends first', script: 't(x3)e0', follow: 'threads', ends: [3] },
  { name: 'each thread ends by itself', script: 't(e2)e3', follow: 'threads', ends: [2, 3] },
  { name: 'a thread execs', script: 't(E)p', follow: 'threads', ends: [9] },
  { name: 'the main thread execs', script: 't(p)E', follow: 'threads', ends: [9] },
  { name: 'a child is forked', script: 'f(x1)x3', follow: 'all', ends: [3] },
  { name: 'a child is forked by a thread', script: 't(f(x1)e)x3', follow: 'all', ends: [3] },
  { name: 'a child is vforked, and ends', script: 'v(x1)x3', follow: 'all', ends: [3] },
  { name: 'a child is vforked, and execs', script: 'v(E)x3', follow: 'all', ends: [3] },
  { name: 'it is stopped', script: 's19x3', follow: 'threads', ends: [3] },
  { name: 'a thread stops it', script: 't(s19e)x3', follow: 'threads', ends: [3] },
  { name: 'it is stopped with a thread', script: 't(e)s19x3', follow: 'threads', ends: [3] },
  { name: 'a child of the host', script: 't(e)x3', follow: 'threads', ends: [3], isOwn: true },
]

/** Those that take minutes: they have tens of thousands of schedules with a fault. */
export const slowPrograms: readonly Attachable[] = programsNamed(
  'a thread starts another',
  'two threads come and go',
  'a child is forked by a thread',
  'a child is vforked, and execs',
  'a thread stops it',
  'it is stopped with a thread',
)

/** Those whose faults take minutes, in two files of their own. */
export const execPrograms: readonly Attachable[] = programsNamed('a thread execs', 'the main thread execs')
export const threadPrograms: readonly Attachable[] = programsNamed(
  'a thread comes and goes',
  'a thread comes and stays',
  'the main thread ends first',
  'each thread ends by itself',
)

export function programsNamed(...names: readonly string[]): readonly Attachable[] {
  return names.map(name => named(programs, name))
}

export function actsNamed(...names: readonly string[]): readonly Act[] {
  return names.map(name => named(acts, name))
}

function named<Of extends { readonly name: string }>(all: readonly Of[], name: string): Of {
  const found = all.find(each => each.name === name)
  if (found === undefined) throw new Error(`there is no '${name}'`)
  return found
}

/** The program may have ended before. */
function ignoreEnd(error: unknown): void {
  if (!isErrno(error, 'ESRCH')) throw error
}

async function loop(tracee: Tracee): Promise<void> {
  for await (const { thread, stop } of tracee.everyStop()) {
    if (thread.stop !== stop) throw new Error(`${thread.tid} is given a stop that is past`)
    thread.cont(stop.event === undefined ? stop.signal : undefined)
  }
}

export const acts: readonly Act[] = [
  { name: 'detach()', isLoop: false, run: tracee => tracee.detach().catch(ignoreEnd) },
  { name: 'disposal', isLoop: false, run: async tracee => tracee[Symbol.asyncDispose]() },
  {
    name: 'handOff()',
    isLoop: false,
    async run(tracee, { kernel }) {
      await tracee.handOff().catch(ignoreEnd)
      expectAtRest(kernel, tracee.pid)
      tracee.kill('SIGCONT')
    },
  },
  {
    name: 'handOff() and a SIGCONT',
    isLoop: false,
    async run(tracee, { kernel }) {
      startContinuing(kernel, tracee.pid)
      await tracee.handOff().catch(ignoreEnd)
      tracee.kill('SIGCONT')
    },
  },
  { name: 'run()', isLoop: true, run: tracee => tracee.run() },
  { name: 'a loop', isLoop: true, run: loop },
  {
    name: 'stopAll() beside run()',
    isLoop: true,
    async run(tracee, { kernel }) {
      const run = tracee.run()
      await tracee.stopAll().catch(ignoreEnd)
      kernel.settle()
      try {
        tracee.contAll()
      } catch (error) {
        ignoreEnd(error)
      }
      await run
    },
  },
  { name: 'a limit', isLoop: false, isTimed: true, run: tracee => tracee.detach().catch(ignoreEnd) },
  {
    name: 'detach() beside run()',
    isLoop: true,
    async run(tracee) {
      void tracee.run()
      await tracee.detach().catch(ignoreEnd)
    },
  },
]
