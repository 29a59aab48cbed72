/** Forks, waits and signals, over the addon. */

import type { Calls, ProcessCallName, SystemResults } from '../system/calls.ts'
import { keepsReport } from '../system/check-child-program.ts'
import { constants } from '../system/constants.ts'
import { SystemError } from '../system/errors.ts'
import type { WaitidResult } from '../system/system.ts'
import { decodeWaitStatus, isExit, rawWaitStatus } from '../system/wait-status.ts'
import type { Addon } from './addon.ts'
import { check, checkOf, echild } from './check-result.ts'
import { encodeProgram } from './encode-program.ts'
import type { LoopWatch } from './loop-watch.ts'
import type { OwnChildren } from './own-children.ts'
import { hasLibuv } from './runtime.ts'

const { P_ALL, P_PID, WEXITED, WNOWAIT, __WCLONE, __WNOTHREAD } = constants

const changed = new Int32Array(2)

/** See PrivateCalls.lookAtAll. */
export function lookAtAll(addon: Addon, options: number): WaitidResult | null | 'refused' {
  const result = addon.waitid(P_ALL, 0, options | WNOWAIT, changed)
  if (result > 0) return changeOf(result, changed)
  return result === 0 || result === echild ? null : 'refused'
}

/** Decodes a change that waitid(2) has written: si_code and si_status. */
function changeOf(pid: number, written: Int32Array): WaitidResult {
  return { pid, status: decodeWaitStatus(rawWaitStatus(written[0]!, written[1]!)) }
}

export function processCalls(
  addon: Addon,
  loop: LoopWatch,
  { forked, attached }: OwnChildren,
): Calls<SystemResults, ProcessCallName> {
  const waited = new Float64Array(10)
  return {
    fork(program) {
      const { words, bytes, shared, cloneFlags } = encodeProgram(program)
      const keeps = keepsReport(program)
      const pid = check('fork', addon.fork(words, bytes, program.report ?? -1, shared, cloneFlags, keeps))
      forked.add(pid)
      if (keeps && hasLibuv) loop.keptAliveByFork()
      return pid
    },

    waitpid(pid, options) {
      const result = addon.waitpid(pid, options, waited)
      if (result === 0) return null
      if (result < 0) {
        // ECHILD of a wait for clone children only, or for this thread's only, proves nothing about the other children.
        if (result === echild && (options & (__WCLONE | __WNOTHREAD)) === 0) forked.delete(pid)
        throw new SystemError({ errno: result, syscall: 'waitpid', pid })
      }
      const raw = waited[0]!
      const status = decodeWaitStatus(raw)
      if (isExit(status)) {
        forked.delete(result)
        attached.delete(result)
      }
      return {
        pid: result,
        raw,
        status,
        rusage: {
          userCPUTime: waited[1]!,
          systemCPUTime: waited[2]!,
          maxRSS: waited[3]!,
          minorPageFault: waited[4]!,
          majorPageFault: waited[5]!,
          fsRead: waited[6]!,
          fsWrite: waited[7]!,
          voluntaryContextSwitches: waited[8]!,
          involuntaryContextSwitches: waited[9]!,
        },
      }
    },

    waitid(idType, id, options) {
      const result = addon.waitid(idType, id, options, changed)
      if (result === 0) return null
      if (result < 0) {
        const provesItsEnd = idType === P_PID && (options & WEXITED) !== 0 && (options & (__WCLONE | __WNOTHREAD)) === 0
        if (result === echild && provesItsEnd) forked.delete(id)
        throw new SystemError({ errno: result, syscall: 'waitid', ...(idType === P_PID && { pid: id }) })
      }
      const change = changeOf(result, changed)
      if (isExit(change.status) && (options & WNOWAIT) === 0) {
        forked.delete(result)
        attached.delete(result)
      }
      return change
    },

    kill(pid, signal) {
      checkOf(pid, 'kill', addon.kill(pid, signal))
    },

    tgkill(pid, tid, signal) {
      checkOf(pid, 'tgkill', addon.tgkill(pid, tid, signal))
    },

    tgsigqueueinfo(pid, tid, siginfo) {
      checkOf(pid, 'rt_tgsigqueueinfo', addon.tgsigqueueinfo(pid, tid, siginfo))
    },
  }
}
