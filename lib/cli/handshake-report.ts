/** The handshake of a launch, from its recorded calls: as lines, as a drawing, as JSON. */

import type { ChildAction } from '../system/child-program.ts'
import type { ExitStatus, WaitStatus } from '../system/wait-status.ts'
import { printable } from './printable.ts'
import type { RecordedCall } from './recorder.ts'

/** One step of the handshake. `side` acts; the time is the parent's, in microseconds since the first step. */
export interface HandshakeStep {
  readonly step: 'pipe2' | 'fork' | 'traceme' | 'notify' | 'stop' | 'exec' | 'exit'
  readonly side: 'parent' | 'child'
  readonly atUs: number
  readonly what: string
}

/** The steps so far, in order. */
export function handshakeSteps(calls: readonly RecordedCall[]): HandshakeStep[] {
  const steps: HandshakeStep[] = []
  const startMs = calls[0]?.atMs ?? 0
  const add = (step: HandshakeStep['step'], side: HandshakeStep['side'], atMs: number, what: string) =>
    steps.push({ step, side, atUs: Math.round((atMs - startMs) * 1000), what })
  let isReady = false
  for (const call of calls) {
    if (call.call === 'pipe2' && !steps.some(({ step }) => step === 'fork')) {
      add('pipe2', 'parent', call.atMs, `a channel from the child: ${call.fds[1]} to ${call.fds[0]}`)
    } else if (call.call === 'fork') {
      const memory = call.program.memory === 'copied' ? 'memory copied' : 'memory shared until exec'
      add('fork', 'parent', call.doneMs, `process ${call.pid}, ${memory}`)
    } else if (call.call === 'waitpid') {
      // A child stops itself only after traceme and its notification: launch() takes the stop as proof of both.
      if (!isReady && isOwnStop(call.status)) {
        isReady = true
        add('traceme', 'child', call.atMs, 'traced by its parent')
        add('notify', 'child', call.atMs, 'one byte through the channel')
      }
      addStatus(call.atMs, call.status, add)
    }
  }
  return steps
}

/** The stop that a child's program raises after it has notified. */
function isOwnStop(status: WaitStatus): boolean {
  return status.kind === 'stopped' && status.signal === 'SIGSTOP' && status.event === undefined
}

type Add = (step: HandshakeStep['step'], side: HandshakeStep['side'], atMs: number, what: string) => void

function addStatus(atMs: number, status: WaitStatus, add: Add): void {
  if (status.kind === 'exited' || status.kind === 'signaled') add('exit', 'child', atMs, describeExit(status))
  else if (status.kind === 'stopped' && status.event === 'exec')
    add('exec', 'child', atMs, 'stopped before its first instruction')
  else if (status.kind === 'stopped')
    add('stop', 'child', atMs, `${status.signal}${status.event ? ` (${status.event})` : ''}`)
}

function describeExit(exit: ExitStatus): string {
  return exit.kind === 'exited'
    ? `code ${exit.code}`
    : `killed by ${exit.signal}${exit.coreDumped ? ', core dumped' : ''}`
}

/** One line for each step: its time, its event, its meaning. */
export function formatSteps(steps: readonly HandshakeStep[]): string {
  return steps.map(({ step, atUs, what }) => `${time(atUs)}  ${step.padEnd(8)} ${what}\n`).join('')
}

/** Two columns, time downwards: the parent's actions and observations, and the child's actions. */
export function formatTimeline(calls: readonly RecordedCall[]): string {
  const steps = handshakeSteps(calls)
  const fork = calls.find(call => call.call === 'fork')
  const width = 34
  const row = (at: string, parent: string, arrow: string, child: string) =>
    `${at.padStart(12)}  ${parent.padEnd(width)} ${arrow} ${child}`.trimEnd()
  const rows = [row('', 'parent', '    ', `child ${fork?.pid ?? ''}`)]
  for (const { step, side, atUs, what } of steps) {
    if (step === 'fork') {
      rows.push(row(time(atUs), `fork: ${what.split(',')[1]?.trim()}`, '───▶', 'starts'))
      for (const action of fork?.program.actions ?? []) {
        if (action.op === 'traceme') break
        rows.push(row('', '', '    ', describeAction(action)))
      }
    } else if (step === 'traceme') rows.push(row('', '', '    ', 'traceme'))
    else if (side === 'parent') rows.push(row(time(atUs), `${step}: ${what}`, '    ', ''))
    else rows.push(row(time(atUs), `sees ${step}`, '◀───', what))
  }
  return `${rows.join('\n')}\n`
}

function describeAction(action: ChildAction): string {
  switch (action.op) {
    case 'dup2':
      return `dup2 ${action.fd} → ${action.target}`
    case 'close':
      return `close ${action.fd}`
    case 'setBlocking':
      return `make ${action.fd} blocking`
    case 'closeAllExcept':
      return `close all but ${action.fds.join(', ')}`
    case 'chdir':
      return `chdir ${printable(action.path)}`
    case 'open':
      return `open ${printable(action.path)} as ${action.target}`
    case 'parentDeathSignal':
      return `parent death signal ${action.signal}`
    default:
      return action.op
  }
}

// By hand: toLocaleString takes 15 ms to load its tables, while the program waits.
function time(atUs: number): string {
  return `${String(atUs).replaceAll(/\B(?=(\d{3})+$)/g, ',')} us`.padStart(12)
}
