/** The signals sent to the command, each with its sender. */

import type { Addon } from '../native/addon.ts'
import { searchAddon } from '../native/load-addon.ts'
import { threadsOf } from '../native/proc.ts'
import { openSystem } from '../open-system.ts'
import { constants } from '../system/constants.ts'
import { type SignalName, signalName, signalNumber } from '../system/signals.ts'

const { O_CLOEXEC, O_NONBLOCK, POLLIN } = constants

/** A received signal. */
export interface SentSignal {
  readonly signal: SignalName
  /** si_code: SI_USER of kill(2), SI_QUEUE of sigqueue(3), SI_KERNEL of a terminal. */
  readonly code: number
  /** The process that sent it. */
  readonly sender: number
  /** The low and high half of sigqueue(3)'s value. */
  readonly value: readonly [low: number, high: number]
}

export const { SI_KERNEL: siKernel, SI_QUEUE: siQueue } = constants

// Uncatchable signals; SIGCHLD, which is about our children; faults of instructions; the two that libc reserves.
const notTaken = new Set([9, 19, 17, 4, 5, 7, 8, 11, 31, 32, 33])
const taken = Int32Array.from({ length: 64 }, (_, index) => index + 1).filter(signal => !notTaken.has(signal))

/** Captures every forwardable signal until released. */
export interface TakenSignals {
  release(): void
  /** Carries out the signal's default action. A stop returns after SIGCONT. */
  actByDefault(signal: SignalName): void
  /** sigqueue(3). It needs the addon. */
  queue(pid: number, sent: SentSignal): boolean
}

/** Delivers signals to `listener` on the event loop, one at a time. */
export function takeSignals(listener: (sent: SentSignal) => Promise<void>): TakenSignals {
  const { addon } = searchAddon()
  return addon === undefined ? takeByProcess(listener) : takeByAddon(addon, listener)
}

const recordWords = 5

function takeByAddon(addon: Addon, listener: (sent: SentSignal) => Promise<void>): TakenSignals {
  const system = openSystem('native')
  const [readFd, writeFd] = system.pipe2(O_CLOEXEC | O_NONBLOCK)
  addon.takeSignals(taken, writeFd, Int32Array.from(threadsOf(process.pid) ?? []))
  const released = new AbortController()
  const words = new Int32Array(recordWords * 64)
  const bytes = new Uint8Array(words.buffer)

  async function listen(): Promise<void> {
    while (!released.signal.aborted) {
      await system.ready(readFd, POLLIN, { signal: released.signal })
      const count = system.read(readFd, bytes) / (4 * recordWords)
      const records = Array.from({ length: count }, (_, index) =>
        words.slice(index * recordWords, (index + 1) * recordWords),
      )
      for (const [signal, code, sender, low, high] of records) {
        // SIGPIPE or SIGXFSZ of our own write: a pipe without a reader, or a file past its limit.
        if (sender === process.pid) continue
        await listener({ signal: signalName(signal!), code: code!, sender: sender!, value: [low!, high!] })
      }
    }
  }

  const listening = listen().catch((error: unknown) => {
    if (!released.signal.aborted) throw error
  })
  return {
    release() {
      if (released.signal.aborted) return
      released.abort()
      addon.releaseSignals()
      listening.finally(() => {
        system.close(readFd)
        system.close(writeFd)
      })
    },
    actByDefault: signal => void addon.actByDefault(signalNumber(signal)!),
    queue: (pid, { signal, value: [low, high] }) => addon.queueSignal(pid, signalNumber(signal)!, low, high) >= 0,
  }
}

/** The fallback over Node, which reports no sender and lacks real-time signals. */
function takeByProcess(listener: (sent: SentSignal) => Promise<void>): TakenSignals {
  const handlers = new Map<SignalName, () => void>()
  for (const number of taken) {
    const signal = signalName(number)
    const handler = () => void listener({ signal, code: 0, sender: 0, value: [0, 0] })
    try {
      process.on(signal as NodeJS.Signals, handler)
      handlers.set(signal, handler)
    } catch {
      // This platform lacks the signal.
    }
  }
  const release = () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
    handlers.clear()
  }
  return {
    release,
    // Node restores the default with the last listener. The stop needs SIGSTOP, which cannot be caught.
    actByDefault: () => void process.kill(process.pid, 'SIGSTOP'),
    queue: () => false,
  }
}
