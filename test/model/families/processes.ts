/** Processes: child programs, signals, stops, waits with every option, ptrace requests at every moment. */

import { constants } from '../../../lib/system/constants.ts'
import type { Signal } from '../../../lib/system/signals.ts'
import type { Draft } from '../draft.ts'
import type { ChildStep, Operation, Slot, TraceRequest } from '../operations.ts'
import type { Weighted } from '../random.ts'
import type { Family, Recipe } from './family.ts'

const { O_NONBLOCK, O_CLOEXEC, WNOHANG, WUNTRACED, WCONTINUED, WEXITED, WNOWAIT } = constants
const { __WALL, __WCLONE, __WNOTHREAD } = constants
const { PTRACE_O_TRACEEXEC, PTRACE_O_TRACEEXIT, PTRACE_O_EXITKILL, PTRACE_O_TRACESYSGOOD } = constants
const { PTRACE_O_TRACEFORK, PTRACE_O_TRACECLONE } = constants

/** Job control's stop signals. They have no effect in an orphaned group, which this process's own may be. */
const terminalStops: readonly Signal[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU']

const deadly: readonly Signal[] = ['SIGTERM', 'SIGKILL', 'SIGUSR1', 'SIGINT', 'SIGTRAP', 'SIGALRM']
/** Signals that a child blocks until it execs. */
const blocked: readonly Signal[] = ['SIGQUIT', 'SIGSEGV', 'SIGPIPE', 'SIGSYS', 'SIGABRT']
const harmless: readonly Signal[] = ['SIGCHLD', 'SIGWINCH', 'SIGURG']
const signals: readonly Signal[] = [...deadly, ...blocked, ...harmless, 'SIGSTOP', 'SIGCONT']

function signal(draft: Draft, stops: readonly Signal[]): Signal {
  const { dice } = draft
  if (dice.oneIn(25)) return dice.of([0, 34, 40, 64])
  if (stops.length > 0 && dice.oneIn(8)) return dice.of(stops)
  if (dice.oneIn(20)) {
    const number = dice.within(1, 31)
    return terminalNumbers.has(number) && stops.length === 0 ? 1 : number
  }
  return dice.weighted<() => Signal>([
    [6, () => 'SIGSTOP'],
    [7, () => 'SIGCONT'],
    [4, () => dice.of(blocked)],
    [3, () => dice.of(harmless)],
    [2, () => dice.of(deadly)],
  ])()
}

const terminalNumbers = new Set([20, 21, 22])

const programs: readonly ChildStep[] = [
  { op: 'execve', files: ['/bin/true'], argv: ['true'] },
  { op: 'execve', files: ['/bin/false'], argv: ['false'] },
  { op: 'execve', files: ['/nowhere/true', '/bin/true'], argv: ['true'] },
  { op: 'execve', files: ['/nowhere'], argv: ['nowhere'] },
  { op: 'execve', files: ['/'], argv: ['/'] },
]

function childStep(draft: Draft, stops: readonly Signal[], gate: Slot | undefined): ChildStep {
  const { dice } = draft
  const sink = draft.blockingFd('writer')
  return dice.weighted<() => ChildStep>([
    [gate === undefined ? 0 : 14, () => ({ op: 'read', fd: gate!, bytes: dice.within(1, 3) })],
    [sink === undefined ? 0 : 3, () => ({ op: 'write', fd: sink!, bytes: dice.within(1, 3) })],
    [8, () => ({ op: 'raise', signal: signal(draft, stops) })],
    [1, () => ({ op: 'chdir', path: dice.of(['/', '/nowhere']) })],
    [1, () => ({ op: 'parentDeathSignal', signal: dice.of([0, 'SIGKILL', 9, 65]) })],
    [1, () => ({ op: 'traceme' })],
    [1, () => ({ op: 'exit', code: dice.within(-1, 300) })],
    [1, () => dice.of(programs)],
  ])()
}

function forking(stops: readonly Signal[]): Recipe {
  return draft => {
    if (!draft.mayFork) return undefined
    const { dice } = draft
    const gate = draft.takeGate()
    const steps: ChildStep[] = Array.from({ length: dice.within(1, 7) }, () => childStep(draft, stops, gate))
    if (dice.oneIn(2)) steps.unshift({ op: 'traceme' })
    if (dice.oneIn(4)) steps.unshift({ op: 'setsid' })
    const sink = draft.blockingFd('writer')
    const report = sink !== undefined && dice.oneIn(2) ? { report: sink } : {}
    return { op: 'fork', child: draft.newChildSlot(), steps, ...report }
  }
}

const waiting: Recipe = draft => {
  const { dice } = draft
  const options = dice.oneIn(12)
    ? dice.bits([WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT, __WALL, __WCLONE, __WNOTHREAD, 0x40], 3)
    : dice.bits([WNOHANG, WUNTRACED, WCONTINUED, __WALL], 2)
  return { op: 'waitpid', child: dice.oneIn(6) ? dice.of([-1, -1, 0]) : draft.child(), options }
}

function killing(stops: readonly Signal[]): Recipe {
  return draft => {
    const { dice } = draft
    const common = { op: 'kill', child: draft.child() } as const
    if (typeof common.child === 'number') return undefined
    const which = dice.oneIn(30) ? dice.of([65, -1, 999]) : signal(draft, stops)
    return dice.oneIn(10) ? { ...common, signal: which, group: true } : { ...common, signal: which }
  }
}

const traceOptions = [
  PTRACE_O_TRACEEXEC,
  PTRACE_O_TRACEEXIT,
  PTRACE_O_EXITKILL,
  PTRACE_O_TRACESYSGOOD,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACECLONE,
]

function tracing(stops: readonly Signal[]): Recipe {
  return draft => {
    const { dice } = draft
    const delivered = (): { signal?: Signal } => {
      if (dice.oneIn(2)) return {}
      return { signal: dice.oneIn(20) ? dice.of([65, -1]) : signal(draft, stops) }
    }
    const options = () => (dice.oneIn(15) ? dice.of([0x400, -1]) : dice.bits(traceOptions, 3))
    const request = dice.weighted<() => TraceRequest>([
      [30, () => ({ request: 'Cont', ...delivered() })],
      [4, () => ({ request: 'Step', ...delivered() })],
      [4, () => ({ request: 'Syscall', ...delivered() })],
      [6, () => ({ request: 'Detach', ...delivered() })],
      [8, () => ({ request: 'Seize', options: options() })],
      [6, () => ({ request: 'Attach' })],
      [8, () => ({ request: 'Interrupt' })],
      [5, () => ({ request: 'Listen' })],
      [6, () => ({ request: 'SetOptions', options: options() })],
      [4, () => ({ request: 'GetEventMessage' })],
      [8, () => ({ request: 'GetSigInfo' })],
      [2, () => ({ request: 'GetRegisters' })],
      [2, () => ({ request: 'GetSigMask' })],
      [2, () => ({ request: 'SetSigMask', signals: dice.some(signals, 3) })],
    ])()
    return { op: 'ptrace', child: draft.child(), ...request } as Operation
  }
}

/** Requests of a tracer that keeps a seized tracee's group stops; a random part of them, so that every order occurs. */
function keepingStops(stops: readonly Signal[]): Recipe {
  return draft => {
    const { dice } = draft
    const child = draft.child()
    if (typeof child === 'number') return undefined
    const stop = stops.length > 0 && dice.oneIn(3) ? dice.of(stops) : 'SIGSTOP'
    const wait = (): Operation => ({ op: 'waitpid', child, options: WNOHANG | (dice.oneIn(2) ? WUNTRACED : 0) })
    const whole: Operation[] = [
      { op: 'ptrace', child, request: 'Seize', options: dice.bits(traceOptions, 4) },
      { op: 'kill', child, signal: stop },
      wait(),
      { op: 'ptrace', child, request: 'Cont', signal: stop },
      wait(),
      { op: 'kill', child, signal: dice.of(['SIGCONT', 'SIGSTOP', 'SIGURG']) },
      { op: 'ptrace', child, request: 'Listen' },
      wait(),
      { op: 'kill', child, signal: dice.of(['SIGCONT', 'SIGTERM']) },
      wait(),
      { op: 'ptrace', child, request: dice.of(['Interrupt', 'GetSigInfo', 'Cont']) },
    ]
    return whole.filter(() => !dice.oneIn(5))
  }
}

/** A pipe whose reader blocks, for a child to wait at, and into which the parent writes without blocking. */
const openGate: Recipe = draft => {
  if (draft.isCrowded) return undefined
  const [reader, writer] = [draft.newSlot(), draft.newSlot()]
  return [
    { op: 'pipe2', to: [reader, writer], flags: draft.dice.oneIn(3) ? O_CLOEXEC : 0 },
    { op: 'fcntl', fd: writer, command: 'F_SETFL', argument: O_NONBLOCK },
  ]
}

/** A pipe that children write to, and from which the parent reads without blocking. */
const openSink: Recipe = draft => {
  if (draft.isCrowded) return undefined
  const [reader, writer] = [draft.newSlot(), draft.newSlot()]
  return [
    { op: 'pipe2', to: [reader, writer], flags: 0 },
    { op: 'fcntl', fd: reader, command: 'F_SETFL', argument: O_NONBLOCK },
  ]
}

const hear: Recipe = draft => ({ op: 'read', fd: draft.fd('reader'), bytes: draft.dice.within(1, 20) })

const letIn: Recipe = draft => ({ op: 'write', fd: draft.fd('writer'), bytes: draft.dice.within(1, 3) })

const close: Recipe = draft => (draft.dice.oneIn(4) ? { op: 'close', fd: draft.anyFd() } : undefined)

/** `stops`: includes a terminal's stop signals, for a process group that is not orphaned. */
export function processRecipes(ownGroupIsOrphaned: boolean): readonly Weighted<Recipe>[] {
  const stops = ownGroupIsOrphaned ? [] : terminalStops
  return [
    [14, forking(stops)],
    [26, waiting],
    [14, killing(stops)],
    [34, tracing(stops)],
    [3, keepingStops(stops)],
    [9, letIn],
    [2, hear],
    [1, openSink],
    [6, openGate],
    [2, close],
  ]
}

export function processes(ownGroupIsOrphaned: boolean): Family {
  return {
    name: 'processes',
    length: 50,
    beginnings: [openSink, openGate, openGate, openGate],
    recipes: processRecipes(ownGroupIsOrphaned),
  }
}
