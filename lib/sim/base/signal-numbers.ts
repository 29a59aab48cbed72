/** The signals that the kernel treats specially, signal(7), and what they do by default. */

import { realTimeMax, standardSignals } from '../../system/signals.ts'

export const { SIGHUP, SIGTRAP, SIGABRT, SIGKILL, SIGPIPE, SIGCHLD, SIGCONT, SIGSTOP, SIGSYS } = standardSignals
const { SIGQUIT, SIGILL, SIGBUS, SIGFPE, SIGSEGV, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGWINCH } =
  standardSignals

/** Higher numbers are real-time signals, which queue. */
export const lastStandardSignal = Math.max(...Object.values(standardSignals))

export const lastSignal = realTimeMax

/** Signals that an instruction causes; their siginfo has an address. */
export const faultSignals: ReadonlySet<number> = new Set([SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV])

/** Signals whose default action stops the process. */
export const stopSignals: ReadonlySet<number> = new Set([SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU])

/** Signals whose default action does nothing. */
export const ignoredSignals: ReadonlySet<number> = new Set([SIGCHLD, SIGCONT, SIGURG, SIGWINCH])

/** Signals whose default action ends the process with a core dump. */
export const coreDumpSignals: ReadonlySet<number> = new Set(
  [...faultSignals].concat(SIGQUIT, SIGABRT, SIGXCPU, SIGXFSZ, SIGSYS),
)

export function isValidSignal(signal: number): boolean {
  return signal >= 0 && signal <= lastSignal
}
