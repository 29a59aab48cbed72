/** What a stop shows besides its status. */

import { constants } from '../../../system/constants.ts'
import { decodeWaitStatus, type ExitStatus, type StopStatus } from '../../../system/wait-status.ts'
import { stopSignals } from '../../base/stop-signals.ts'
import type { AddressSpace } from '../memory/address-space.ts'
import type { Watchpoints } from '../memory/watchpoints.ts'
import type { Task } from '../tasks/task.ts'
import type { Stop } from '../tasks/task-state.ts'

const { PTRACE_EVENTMSG_SYSCALL_ENTRY } = constants

/** What a process knows of a stop. */
interface Known {
  readonly space: AddressSpace
  readonly watches: Watchpoints
  /** Of the latest exec. */
  readonly formerTid: number
  /** Whether the user's interrupt has caused the stop. */
  readonly isInterrupt: boolean
}

/** A stop other than a birth's, as it is shown; undefined for a stale trap, which is not shown. */
export function describeStop(task: Task, status: StopStatus, known: Known): Stop | undefined {
  const base = status as Stop
  switch (status.event) {
    case 'exec':
      return nameFormer({ ...base }, known.formerTid, task.tid)
    case 'exit':
      return { ...base, exitStatus: decodeWaitStatus(task.eventMessage()) as ExitStatus }
    case 'seccomp':
      return { ...base, data: task.eventMessage() }
    case 'syscall':
      // Written out: the commonest event, and a copy to which a property is added takes a second allocation.
      return {
        kind: 'stopped',
        signal: status.signal,
        event: 'syscall',
        phase: task.eventMessage() === PTRACE_EVENTMSG_SYSCALL_ENTRY ? 'entry' : 'exit',
      }
    case 'stop':
      return {
        ...base,
        reason: stopSignals.has(status.signal) ? 'group' : known.isInterrupt ? 'interrupt' : 'continued',
      }
    case undefined: {
      const trap = known.watches.trapOf(task, status) ?? known.space.trapOf(task, status)
      if (trap === 'stale') return undefined
      return trap === undefined ? base : { ...base, trap }
    }
    default:
      return base
  }
}

/** After the usual exec, by the main thread itself, `formerTid` is not enumerable: it says nothing new. */
function nameFormer(stop: Stop, formerTid: number, tid: number): Stop {
  return Object.defineProperty(stop, 'formerTid', { value: formerTid, enumerable: formerTid !== tid })
}

/**
 * A task's stop as the user sees it. The stop of a launch's exec gets its `formerTid` only here: defining a property
 * that is not enumerable takes as long as ten system calls, and few launches' stops are looked at.
 */
export function shownStop({ stop, tid }: Task): Stop | null {
  if (stop?.event === 'exec' && stop.formerTid === undefined) nameFormer(stop, tid, tid)
  return stop
}
