/** Forwards the command's signals to the program that runs under it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../launch/handles/child.ts'
import { openSystem } from '../open-system.ts'
import { isErrno } from '../system/errors.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import { inherited } from './inherited.ts'
import { processStat } from './proc.ts'
import { type SentSignal, siKernel, siQueue, takeSignals } from './taken-signals.ts'

/** A terminal sends these to every process of the foreground group. */
const ofTerminal: ReadonlySet<SignalName> = new Set([
  'SIGINT',
  'SIGQUIT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGHUP',
  'SIGCONT',
  'SIGWINCH',
])
const stops: ReadonlySet<SignalName> = new Set(['SIGTSTP', 'SIGTTIN', 'SIGTTOU'])
/** At a hang-up, the terminal sends these to the session leader only. */
const ofHangUp: ReadonlySet<SignalName> = new Set(['SIGHUP', 'SIGCONT'])

interface Forwarding {
  /** The process that gets the signals, now or later; undefined if there is none. */
  readonly target: () => Promise<Child> | undefined
  /** Whether it is a real process, which a terminal can signal. */
  readonly isReal: boolean
  /** Sees each signal first. True keeps it from the program. */
  readonly takes?: (sent: SentSignal, child: Child) => boolean
}

/** Forwards signals until it is disposed of. */
export function forwardSignals({ target, isReal, takes = () => false }: Forwarding): Disposable {
  let wasStopped = false

  const signals = takeSignals(async sent => {
    // A failed launch reports itself.
    const child = await target()?.catch(() => undefined)
    if (child === undefined || takes(sent, child)) return
    if (!isReal || !(await hasItAlready(child, sent))) send(child, sent)
    if (sent.signal === 'SIGCONT') wasStopped = false
    if (stops.has(sent.signal) && !inherited.ignored.includes(signalNumber(sent.signal)!))
      await stop(child, sent.signal)
  })

  async function hasItAlready(child: Child, sent: SentSignal): Promise<boolean> {
    if (isFromTerminal(child, sent)) return true
    // A shell's fg continues a job by a SIGCONT to every process of it.
    return sent.signal === 'SIGCONT' && wasStopped && (await comesToBe(child, 'running'))
  }

  async function stop(child: Child, signal: SignalName): Promise<void> {
    // A stopped command forwards nothing, and the program's own handler must run first.
    if (isReal) await comesToBe(child, 'stopped')
    wasStopped = true
    signals.actByDefault(signal)
  }

  function send(child: Child, sent: SentSignal): void {
    try {
      const isQueued = sent.code === siQueue && isReal && child.kill(0) && signals.queue(child.pid, sent)
      if (!isQueued) child.kill(sent.signal)
    } catch {
      // The program has changed its user, so this process may no longer signal it.
    }
  }

  return { [Symbol.dispose]: () => signals.release() }
}

/** Whether a terminal sent it, and so sent it to the program as well. */
function isFromTerminal(child: Child, { signal, code }: SentSignal): boolean {
  if (code !== siKernel || !ofTerminal.has(signal)) return false
  const own = processStat(process.pid)
  const isForLeader = own?.session === process.pid && ofHangUp.has(signal)
  return !isForLeader && processStat(child.pid)?.group === own?.group
}

/** Waits until the program is in that state or has ended; false if neither happens soon. */
async function comesToBe(child: Child, wanted: 'stopped' | 'running'): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const state = processStat(child.pid)?.state ?? 'Z'
    const isStopped = state === 'T' || (state === 't' && isInGroupStop(child.pid))
    if (state === 'Z' || isStopped === (wanted === 'stopped')) return true
    await sleep(5)
  }
  return false
}

/**
 * Whether the tracee is in a stop that it would be in untraced, too. Only the kernel knows: a stop that run() has yet
 * to pass on exists for its tracer alone, and may not even be seen yet.
 */
function isInGroupStop(pid: number): boolean {
  try {
    openSystem('native').ptraceGetSigInfo(pid)
    return false
  } catch (error) {
    // EINVAL: a group-stop. ESRCH: a tracee listening in one.
    if (isErrno(error, 'EINVAL', 'ESRCH')) return true
    throw error
  }
}
