/** The System over the real kernel, through the addon. */

import { resolve } from 'node:path'
import { childChangeArguments, readyArguments, sleepArguments, watchArguments } from '../system/awaited-arguments.ts'
import { provideCEnvironment } from '../system/c-environment.ts'
import type { SystemResults } from '../system/calls.ts'
import { CheckedCalls } from '../system/checked-calls.ts'
import { constants } from '../system/constants.ts'
import { isErrno } from '../system/errors.ts'
import { offerPrivateCalls } from '../system/private-calls.ts'
import { mostRegisterBytes, stackPointerIn } from '../system/registers.ts'
import { siginfoBytes } from '../system/siginfo.ts'
import type { Abortable, ReadinessListener, ReadinessWatch, System } from '../system/system.ts'
import type { Addon } from './addon.ts'
import { einval, enodata, esrch } from './check-result.ts'
import { descriptorCalls } from './descriptor-calls.ts'
import { LoopWatch } from './loop-watch.ts'
import { missingInterpreterHint } from './missing-interpreter.ts'
import { notifySockets } from './notify-sockets.ts'
import type { OwnChildren } from './own-children.ts'
import { withPolledLoop } from './polled-loop.ts'
import {
  hasExecedByProc,
  hasLivingMember,
  hasOwnProc,
  isEndingOrExecing,
  isExecing,
  isZombie,
  taskFacts,
  threadsOf,
} from './proc.ts'
import { lookAtAll, processCalls } from './process-calls.ts'
import { now, readinessCalls, sleepOnLoop } from './readiness-calls.ts'
import { hasLibuv, isWorker } from './runtime.ts'
import { ThreadOwnership } from './thread-ownership.ts'
import { whyNoTraceme } from './trace-refusal.ts'
import { attached, tracingCalls } from './tracing-calls.ts'

const PIDFD_SIGNAL_PROCESS_GROUP = 4
const { NT_PRSTATUS, WNOHANG } = constants
// As kAnswered in src/processes.cpp.
const answeredStop = 0x1_0000

export class NativeSystem extends CheckedCalls<SystemResults> implements System {
  readonly kind = 'native'
  readonly #loop: LoopWatch

  constructor(addon: Addon) {
    const loop = new LoopWatch(hasLibuv ? addon : withPolledLoop(addon))
    const children: OwnChildren = { forked: new Set(), isAwaited: () => false, attached: new Set(), resumptions: 0 }
    super({
      descriptors: descriptorCalls(addon, loop),
      readiness: readinessCalls(addon),
      processes: processCalls(addon, loop, children),
      tracing: tracingCalls(addon, children),
    })
    this.#loop = loop
    const worker = isWorker()
    if (!worker && hasLibuv) provideCEnvironment(entries => addon.isEnvironment(entries))
    const siginfo = new Uint8Array(siginfoBytes)
    const registers = new Uint8Array(mostRegisterBytes)
    const record = new Int32Array(2)
    offerPrivateCalls(this, {
      ...(worker && { ownership: new ThreadOwnership(addon) }),
      refuseToAttach(isAwaited) {
        children.isAwaited = isAwaited
      },
      keepAlive: isAlive => loop.keepAlive(isAlive),
      seizeAwaited: (pid, options) => attached(pid, addon.ptraceSeize(pid, options)),
      hasExeced: pid => hasExeced(addon, pid),
      whyNotFound: (files, directory = '.') =>
        missingInterpreterHint(
          files.map(file => resolve(directory, file)),
          directory,
        ),
      notifySockets: notifySockets(addon),
      pidfdExitStatus: pidfd => {
        const status = addon.pidfdExitStatus(pidfd)
        return status >= 0 ? status : status === enodata ? null : undefined
      },
      seesTasks: hasOwnProc,
      takeReport(pid) {
        return addon.takeReport(pid, record) === 0 ? undefined : { action: record[0]!, errno: record[1]! }
      },
      threadsOf,
      lookAtAll: options => lookAtAll(addon, options),
      lookAgain: () => addon.lookAgain(),
      isZombie,
      takeLaunchStop(pid, ownStopOptions) {
        const stop = addon.takeLaunchStop(pid, ownStopOptions)
        if (stop === answeredStop) return 'answered'
        return stop > 0 ? rawStop(stop) : 0
      },
      takeStop(tid, waits) {
        const stop = addon.takeStop(tid, waits ? 0 : WNOHANG)
        if (stop <= 0) return stop === 0 ? null : undefined
        const status = stop % 0x1_0000
        return { raw: rawStop(status), message: stop === status ? undefined : (stop - status) / 0x1_0000 - 1 }
      },
      openPidfd: pid => addon.pidfdOpen(pid),
      signalByPidfd: (pidfd, signal, toGroup) =>
        addon.pidfdSendSignal(pidfd, signal, toGroup ? PIDFD_SIGNAL_PROCESS_GROUP : 0),
      hasLivingMember,
      peerUser: fd => addon.peerUser(fd),
      foregroundGroup: master => addon.foregroundGroup(master),
      reclaimTerminal: group => void addon.reclaimTerminal(group),
      taskOf: taskFacts,
      // An exec has just put the stack pointer where the kernel says that the stack starts.
      memoryMarkOf(tid) {
        const length = addon.ptraceGetRegisterSet(tid, NT_PRSTATUS, registers)
        return length < 0 ? 0 : (stackPointerIn(registers.subarray(0, length)) ?? 0)
      },
      isOfUser: pid => children.forked.has(pid) || children.attached.has(pid),
      resumptions: () => children.resumptions,
      isEndingOrExecing,
      isExecing,
      whyNoTraceme,
      isInTraceStop(pid) {
        const answer = addon.ptraceGetSigInfo(pid, siginfo)
        // A group stop has no siginfo. A sandbox that allows no ptrace may give any errno.
        return answer >= 0 || answer === einval
      },
    })
  }

  async ready(fd: number, events: number, options: Abortable = {}): Promise<number> {
    const asked = readyArguments(fd, events, options)
    try {
      return await this.#loop.ready(asked.fd, asked.events, asked.signal)
    } catch (error) {
      // epoll refuses regular files, which are always ready: poll answers for them.
      if (isErrno(error, 'EPERM')) return this.poll([{ fd, events }], 0)[0]!
      throw error
    }
  }

  watch(fd: number, events: number, listener: ReadinessListener): ReadinessWatch {
    const asked = watchArguments(fd, events, listener)
    return this.#loop.watch(asked.fd, asked.events, asked.listener)
  }

  now(): number {
    return now()
  }

  async sleep(ms: number, options: Abortable = {}): Promise<void> {
    const asked = sleepArguments(ms, options)
    await sleepOnLoop(asked.ms, asked.signal)
  }

  onChildChange(listener: () => void, options: { readonly keepAlive?: boolean } = {}): () => void {
    const asked = childChangeArguments(listener, options)
    return this.#loop.onChildChange(asked.listener, asked.keepAlive)
  }
}

/** The raw wait status of a stop, of waitid's si_status. */
function rawStop(status: number): number {
  return (status << 8) | 0x7f
}

function hasExeced(addon: Addon, pid: number): boolean | undefined {
  const answer = addon.hasExeced(pid)
  if (answer === 1) return true
  // ESRCH: another waiter reaped it, so an exec is not known. A sandbox may cause any other answer.
  return answer === esrch ? false : hasExecedByProc(pid)
}
