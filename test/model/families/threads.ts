/** Threads and children of tracees: scripts of test/fixtures/threads.c, each task stopped and let go by itself. */

import { constants } from '../../../lib/system/constants.ts'
import type { Signal } from '../../../lib/system/signals.ts'
import type { Draft } from '../draft.ts'
import type { ChildStep, Operation, Slot, TraceRequest } from '../operations.ts'
import type { Family, Recipe } from './family.ts'

const { O_CLOEXEC, O_NONBLOCK, WNOHANG, WUNTRACED, WCONTINUED, WEXITED, WSTOPPED, WNOWAIT, __WALL } = constants

/**
 * Scripts, with capital letters in place of gates. What a signal of the process or an untraced task could race with
 * waits at a gate: then each operation has one result. No thread vforks: its child's SIGCHLD would race with its stop.
 */
const scripts = [
  't(rAe3)rBx5',
  't(rAx6)rBe3',
  't(rAE)rBx5',
  't(rAe4)e3',
  't(p)rAE',
  't(rAE)t(rBe3)rCx5',
  't(rAt(rBe2)p)p',
  't(s19rAe1)rBx2',
  't(s10rAe1)p',
  't(b10rAs10rBe1)rCx2',
  'rAt(rBe1)rCx2',
  'f(rAx3)rBx5',
  'f(rAE)rBx5',
  'f(t(rAe3)rBx4)rCx5',
  'f(f(rAx1)rBx2)rCx3',
  't(f(rAx3)rBe2)p',
  'v(rAx3)rBx5',
  'v(rAE)rBx5',
  'v(t(rAe1)rBE)rCx5',
] as const

const signals: readonly Signal[] = [
  'SIGSTOP',
  'SIGCONT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCHLD',
  'SIGTERM',
  'SIGRTMIN',
  'SIGURG',
]

const traceOptions = [
  constants.PTRACE_O_TRACECLONE,
  constants.PTRACE_O_TRACEFORK,
  constants.PTRACE_O_TRACEVFORK,
  constants.PTRACE_O_TRACEVFORKDONE,
  constants.PTRACE_O_TRACEEXEC,
]

/** Most programs follow everything. */
function options(draft: Draft): number {
  const { dice } = draft
  const all = traceOptions.reduce((mask, bit) => mask | bit, 0)
  return (dice.oneIn(4) ? dice.bits(traceOptions, 2) : all) | (dice.oneIn(3) ? constants.PTRACE_O_TRACEEXIT : 0)
}

/** The name of a task: a child, or what it or its descendants have created. */
function task(draft: Draft): Slot {
  const child = draft.child()
  const from = draft.dice.weighted([
    [5, ''],
    [6, '.0'],
    [2, '.1'],
    [2, '.0.0'],
  ] as const)
  return `${typeof child === 'string' ? child : 'c0'}${from}`
}

const starting: Recipe = draft => {
  const { dice } = draft
  if (!draft.mayFork) return undefined
  const script = dice.of(scripts)
  const gates: Slot[] = []
  for (const letter of ['A', 'B', 'C']) {
    if (!script.includes(letter)) break
    const gate = draft.takeGate()
    if (gate === undefined) return undefined
    gates.push(gate)
  }
  const child = draft.newChildSlot()
  const run: ChildStep = { op: 'script', script, gates }
  if (dice.oneIn(2)) {
    const steps: ChildStep[] = [{ op: 'traceme' }, { op: 'raise', signal: 'SIGSTOP' }, run]
    return [
      { op: 'fork', child, steps },
      { op: 'waitpid', child, options: 0 },
      { op: 'ptrace', child, request: 'SetOptions', options: options(draft) },
      { op: 'ptrace', child, request: 'Cont' },
    ]
  }
  const gate = draft.takeGate()
  if (gate === undefined) return undefined
  return [
    { op: 'fork', child, steps: [{ op: 'read', fd: gate, bytes: 1 }, run] },
    { op: 'ptrace', child, request: 'Seize', options: options(draft) },
    { op: 'letIn', gate },
  ]
}

/** No attach: it sleeps in the kernel while the process is in an exec that waits for its tracer to reap a thread. */
function request(draft: Draft): TraceRequest {
  const { dice } = draft
  const delivered = (): { signal?: Signal } => (dice.oneIn(3) ? { signal: dice.of(signals) } : {})
  return dice.weighted<() => TraceRequest>([
    [30, () => ({ request: 'Cont', ...delivered() })],
    [3, () => ({ request: 'Detach', ...delivered() })],
    [8, () => ({ request: 'Interrupt' })],
    [6, () => ({ request: 'Listen' })],
    [3, () => ({ request: 'SetOptions', options: options(draft) })],
    [6, () => ({ request: 'GetEventMessage' })],
    [8, () => ({ request: 'GetSigInfo' })],
    [3, () => ({ request: 'PeekSigInfo', shared: dice.oneIn(2) })],
    [2, () => ({ request: 'GetSigMask' })],
    [2, () => ({ request: 'SetSigMask', signals: dice.some(signals, 2) })],
  ])()
}

const tracing: Recipe = draft => ({ op: 'ptrace', child: task(draft), ...request(draft) }) as Operation

const waiting: Recipe = draft => {
  const { dice } = draft
  return {
    op: 'waitpid',
    child: dice.oneIn(8) ? -1 : task(draft),
    options: __WALL | dice.bits([WUNTRACED, WCONTINUED], 4),
  }
}

const looking: Recipe = draft => ({
  op: 'waitid',
  child: task(draft),
  options: (__WALL | WNOHANG | draft.dice.bits([WEXITED, WSTOPPED, WCONTINUED, WNOWAIT], 2)) >>> 0,
})

/** A wait and a continuation: what most tracers do most of the time. */
const passing: Recipe = draft => {
  const child = task(draft)
  return [
    { op: 'waitpid', child, options: __WALL },
    { op: 'ptrace', child, request: 'Cont' },
  ]
}

const signalling: Recipe = draft => ({ op: 'tgkill', child: task(draft), signal: draft.dice.of(signals) })

const queueing: Recipe = draft => ({
  op: 'tgsigqueueinfo',
  child: task(draft),
  signal: draft.dice.of(signals),
  value: draft.dice.within(-3, 1000),
})

/** Only SIGKILL: which thread takes another signal of a process is not always the same. */
const killing: Recipe = draft => ({ op: 'kill', child: task(draft), signal: 'SIGKILL' })

const openGate: Recipe = draft => {
  if (draft.isCrowded) return undefined
  const slot = draft.newSlot()
  return [
    { op: 'pipe2', to: [`r${slot}`, `w${slot}`], flags: O_CLOEXEC },
    { op: 'fcntl', fd: `w${slot}`, command: 'F_SETFL', argument: O_NONBLOCK },
  ]
}

const letIn: Recipe = draft => ({ op: 'letIn', gate: draft.fd('reader') })

export const threads: Family = {
  name: 'threads',
  length: 60,
  beginnings: [openGate, openGate, openGate, openGate, starting],
  recipes: [
    [3, openGate],
    [3, starting],
    [14, passing],
    [12, waiting],
    [4, looking],
    [24, tracing],
    [5, signalling],
    [3, queueing],
    [1, killing],
    [10, letIn],
  ],
}
