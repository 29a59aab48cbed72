/** Signals sent to the command go on to the program that runs under it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../launch/child.ts'
import { openSystem } from '../open-system.ts'
import { isErrno } from '../system/errors.ts'
import { type SignalName, signalNumber } from '../system/signals.ts'
import { inherited } from './inherited.ts'
import { processStat } from './proc.ts'
import { type SentSignal, siKernel, siQueue, takeSignals } from './taken-signals.ts'

/** What a terminal sends, it sends to every process of the group. */
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
/** A terminal that is hung up sends these to the leader of its session alone. */
const ofHangUp: ReadonlySet<SignalName> = new Set(['SIGHUP', 'SIGCONT'])

interface Forwarding {
  /** The process that gets the signals, or will; undefined where there is none. */
  readonly target: () => Promise<Child> | undefined
  /** Whether it is a process of the kernel's, which a terminal knows. */
  readonly isReal: boolean
  /** Sees each signal first, and keeps it by returning true. */
  readonly takes?: (sent: SentSignal, child: Child) => boolean
}

/** Sends signals on until it is disposed of. */
export function forwardSignals({ target, isReal, takes = () => false }: Forwarding): Disposable {
  let wasStopped = false

  const signals = takeSignals(async sent => {
    // A launch that fails tells so itself.
    const child = await target()?.catch(() => undefined)
    if (child === undefined || takes(sent, child)) return
    if (!isReal || !(await hasItAlready(child, sent))) send(child, sent)
    if (sent.signal === 'SIGCONT') wasStopped = false
    if (stops.has(sent.signal) && !inherited.ignored.includes(signalNumber(sent.signal)!))
      await stop(child, sent.signal)
  })

  async function hasItAlready(child: Child, sent: SentSignal): Promise<boolean> {
    if (isFromTerminal(child, sent)) return true
    // What continues a job, a shell's fg, sends SIGCONT to all of it.
    return sent.signal === 'SIGCONT' && wasStopped && (await comesToBe(child, 'running'))
  }

  async function stop(child: Child, signal: SignalName): Promise<void> {
    // A command that is stopped passes nothing on, and a handler of the program's is to run first.
    if (isReal) await comesToBe(child, 'stopped')
    wasStopped = true
    signals.actByDefault(signal)
  }

  function send(child: Child, sent: SentSignal): void {
    try {
      const isQueued = sent.code === siQueue && isReal && child.kill(0) && signals.queue(child.pid, sent)
      if (!isQueued) child.kill(sent.signal)
    } catch {
      // The program has become another user, and is not ours to signal.
    }
  }

  return { [Symbol.dispose]: () => signals.release() }
}

/** Whether a terminal has sent it, to the program as well. */
function isFromTerminal(child: Child, { signal, code }: SentSignal): boolean {
  if (code !== siKernel || !ofTerminal.has(signal)) return false
  const own = processStat(process.pid)
  const isForLeader = own?.session === process.pid && ofHangUp.has(signal)
  return !isForLeader && processStat(child.pid)?.group === own?.group
}

/** Waits until the program is in that state, or has ended; false where that does not come soon. */
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
 * Whether a tracee that is stopped would be so untraced. The kernel is asked: a stop that run() has yet to pass on is its tracer's alone,
 * and may not even be seen yet.
 */
function isInGroupStop(pid: number): boolean {
  try {
    openSystem('native').ptraceGetSigInfo(pid)
    return false
  } catch (error) {
    // EINVAL at a group stop; ESRCH of a tracee that listens in one.
    if (isErrno(error, 'EINVAL', 'ESRCH')) return true
    throw error
  }
}
