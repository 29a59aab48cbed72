/**
 * Breakpoints, watches, requests and signals at random: each stop comes where a trace by single steps says.
 *
 * The model knows the trace, and which stops come before an instruction, with it and after it.
 */

import { expect, it } from 'vitest'
import type { StopStatus, Tracee } from '../../../../lib/index.ts'
import { callBytes, isCallInstruction } from '../../../../lib/launch/tracing/memory/step-over.ts'
import { RandomNumbers } from '../../../../lib/sim/base/random-numbers.ts'
import { rounds } from '../../../support/rounds.ts'
import { seedOf } from '../../../support/seed.ts'
import { whyNoDebugRegisters } from '../../support/debug-registers.ts'
import { describeDebugger, returnAddressOf, start, wordAt } from './support/debuggee.ts'

interface Instruction {
  readonly pc: bigint
  readonly isCall: boolean
  /** Whether it writes to the watched variable. */
  readonly writes: boolean
}

type Going = 'step' | 'cont' | 'syscall'
type Seen = 'step' | 'breakpoint' | 'execute' | 'write' | 'entry' | 'exit'

/** Where the program is: before an instruction, or within it, which is a system call. */
interface Place {
  readonly at: number
  readonly seen: Seen
}

/** What may stop the program. */
interface Traps {
  readonly breakpoints: ReadonlyMap<bigint, unknown>
  readonly executed: ReadonlyMap<bigint, unknown>
  readonly isWatched: boolean
}

/** The next stop, from the trace alone. */
function next(trace: readonly Instruction[], { at: from, seen }: Place, going: Going, set: Traps): Place {
  const isWatched = (at: number) => set.executed.has(trace[at]!.pc)
  const isBreakpoint = (at: number) => set.breakpoints.has(trace[at]!.pc)
  let at = from
  // The stops at the program's current instruction that are still to come.
  let [mayWatch, mayBreak] = [false, false]
  if (seen === 'entry') {
    if (going === 'syscall') return { at, seen: 'exit' }
    at++
    if (going === 'step') return arrival()
    ;[mayWatch, mayBreak] = [true, true]
  } else if (seen === 'exit') {
    at++
    ;[mayWatch, mayBreak] = [true, true]
  } else if (seen === 'execute') mayBreak = true
  else if (seen === 'write') [mayWatch, mayBreak] = [true, true]
  for (;;) {
    if (mayWatch && isWatched(at)) return { at, seen: 'execute' }
    if (mayBreak && isBreakpoint(at)) return { at, seen: 'breakpoint' }
    const { isCall, writes } = trace[at]!
    if (isCall && going === 'syscall') return { at, seen: 'entry' }
    at++
    if (writes && set.isWatched) return { at, seen: 'write' }
    if (going === 'step') return arrival()
    ;[mayWatch, mayBreak] = [true, true]
  }

  function arrival(): Place {
    return { at, seen: isWatched(at) ? 'execute' : isBreakpoint(at) ? 'breakpoint' : 'step' }
  }
}

function seenAt({ event, phase, trap }: StopStatus): Seen {
  if (event === 'syscall') return phase as Seen
  if (trap === undefined) return 'step'
  return trap.kind === 'breakpoint' ? 'breakpoint' : (trap.on as Seen)
}

describeDebugger('a debugger', () => {
  const function_ = { functions: 'callFunctions', 'system-calls': 'callSystem' } as const
  type Part = keyof typeof function_

  /** Starts a part, and runs it to the function to be traced. */
  async function startAt(part: Part) {
    const debuggee = await start([part], { aslr: false, env: { LD_BIND_NOW: '1' } })
    const { tracee, places, untilTrap } = debuggee
    using _ = tracee.breakpoint(places.of(function_[part]))
    await untilTrap()
    tracee.stdout.resume()
    return debuggee
  }

  function stop(tracee: Tracee): StopStatus {
    const status = tracee.waitSync()
    if (status.kind !== 'stopped') throw new Error(`it has ended: ${JSON.stringify(status)}`)
    return status
  }

  /** Every instruction of the function and of what it calls; the last one is its caller's. */
  async function traceOf(part: Part): Promise<{ trace: Instruction[]; watched: bigint }> {
    await using debuggee = await startAt(part)
    const { tracee, places } = debuggee
    const watched = places.of('counted')
    const end = returnAddressOf(tracee)
    const trace: Instruction[] = []
    const counted = () => Number(wordAt(tracee, watched) & 0xffff_ffffn)
    for (let before = counted(); ; ) {
      const { pc, architecture } = tracee.registers()
      if (pc === end) {
        trace.push({ pc, isCall: false, writes: false })
        return { trace, watched }
      }
      const isCall = isCallInstruction(tracee.readMemory(pc, callBytes), architecture)
      tracee.step()
      stop(tracee)
      const after = counted()
      trace.push({ pc, isCall, writes: after !== before })
      before = after
    }
  }

  const watches = whyNoDebugRegisters === undefined
  const without = watches ? '' : ` [without watches: ${whyNoDebugRegisters}]`
  const title = `is told of each stop at its place, by a trace of %s${without}`

  it.each(['functions', 'system-calls'] as const)(title, async part => {
    const { trace, watched } = await traceOf(part)
    expect(trace.length).toBeGreaterThan(50)
    const seed = seedOf(`random stops of ${part}`)
    const random = new RandomNumbers(seed)
    const oneOf = <T>(values: readonly T[]) => values[random.integer(values.length)]!
    const last = trace.length - 1
    for (let round = 0; round < rounds(4, 300); round++) {
      await using debuggee = await startAt(part)
      const { tracee } = debuggee
      const breakpoints = new Map<bigint, Disposable>()
      const executed = new Map<bigint, Disposable>()
      let writes: Disposable | undefined
      const toggle = (set: Map<bigint, Disposable>, address: bigint, most: number, make: () => Disposable) => {
        const found = set.get(address)
        found?.[Symbol.dispose]()
        if (found !== undefined) set.delete(address)
        else if (set.size < most) set.set(address, make())
      }
      const end = trace[last]!.pc
      breakpoints.set(end, tracee.breakpoint(end))
      const log: string[] = []
      for (let place: Place = { at: 0, seen: 'step' }; place.at !== last; ) {
        // Mostly not far ahead, so that what is set is met.
        const { pc } = trace[Math.min(last - 1, place.at + random.integer(random.integer(4) === 0 ? last : 6))]!
        const choice = random.integer(8)
        if (choice < 3) toggle(breakpoints, pc, 20, () => tracee.breakpoint(pc))
        else if (watches && choice < 5) toggle(executed, pc, 3, () => tracee.watch(pc, { size: 1, on: 'execute' }))
        else if (watches && choice === 5) {
          if (writes === undefined) writes = tracee.watch(watched, { size: 4, on: 'write' })
          else {
            writes[Symbol.dispose]()
            writes = undefined
          }
        }
        const going = oneOf(['step', 'step', 'cont', 'syscall'] as const)
        // The program ignores it. By syscall() it is not given at a call's instruction, which it would step over.
        const isCall = trace[place.at]!.isCall && place.seen !== 'entry' && place.seen !== 'exit'
        const signal = random.integer(5) === 0 && !(going === 'syscall' && isCall) ? 'SIGCHLD' : undefined
        place = next(trace, place, going, { breakpoints, executed, isWatched: writes !== undefined })
        tracee[going](signal)
        const status = stop(tracee)
        const found = { pc: tracee.registers().pc, seen: seenAt(status) }
        log.push(`${going} ${signal ?? ''}: ${found.seen} at ${found.pc.toString(16)}`)
        const isWithin = place.seen === 'entry' || place.seen === 'exit'
        const expected = { pc: trace[isWithin ? place.at + 1 : place.at]!.pc, seen: place.seen }
        expect(found, `seed ${seed}, round ${round}:\n${log.slice(-6).join('\n')}`).toEqual(expected)
      }
    }
  })
})
