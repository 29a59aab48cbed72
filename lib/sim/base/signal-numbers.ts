/** The signals that the kernel treats specially, signal(7), with their numbers on x86-64 and arm64. */

export const SIGHUP = 1
const SIGQUIT = 3
const SIGILL = 4
export const SIGTRAP = 5
export const SIGABRT = 6
const SIGBUS = 7
const SIGFPE = 8
export const SIGKILL = 9
const SIGSEGV = 11
export const SIGPIPE = 13
export const SIGCHLD = 17
export const SIGCONT = 18
export const SIGSTOP = 19
const SIGTSTP = 20
const SIGTTIN = 21
const SIGTTOU = 22
const SIGURG = 23
const SIGXCPU = 24
const SIGXFSZ = 25
const SIGWINCH = 28
export const SIGSYS = 31

/** Numbers above it are real-time signals, which queue. */
export const lastStandardSignal = 31
export const lastSignal = 64

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
