/**
 * Kills that would only repeat an earlier schedule: sleep sets (Godefroid) for the faults that kill a process.
 *
 * A kill and a move that does not involve its process have the same outcome in either order, at the same cost in
 * preemptions and faults. So a kill sleeps once it has been an option, until a move involves its process.
 *
 *     a child waits; the host calls dup, close, then writes to it
 *     K dup close write      run
 *     dup K close write      the same to both: left out, as is dup close K write
 *     dup close write K      run: the write has woken the child
 *
 * Of two kills at one choice, only the one that comes first in the options sleeps while the other is tried.
 */

import { firstPid, type Kernel } from '../../kernel/kernel.ts'
import type { Probes } from '../../kernel/tracepoints.ts'
import { Task } from '../../processes/task.ts'
import { Kill } from '../faults.ts'
import type { ChoicePoint } from '../strategy.ts'

/** Bits of a mask, without the sign bit. */
const mostBits = 31

/** The bit of a process; 0 for one whose number is too high, whose kills never sleep. */
function bitOf({ id }: { readonly id: number }): number {
  const index = id - firstPid
  return index >= 0 && index < mostBits ? 1 << index : 0
}

/** Masks of bits, not sets of processes: those would keep explored worlds out of V8's young generation. */
export class SleepingKills {
  /** The processes whose kills sleep. */
  #asleep = 0
  /** The process that moved last; a fault does not count. */
  #last = 0
  readonly #probes: Probes = {
    moves: (actor, task) => {
      if (task !== null) this.#last = bitOf(task.process)
      if (actor instanceof Task || actor instanceof Kill) this.#wake(actor.process)
    },
    processUsed: process => this.#wake(process),
    waitStateUsed: process => this.#wake(process),
    forked: (_parent, child) => this.#wake(child.process),
    reaped: task => this.#wake(task.process),
    parked: task => this.#wake(task.process),
    signalSent: task => this.#wake(task.process),
    wakeTaken: task => this.#wake(task.process),
    timePasses: () => this.#wakeAll(),
    worldUsed: () => this.#wakeAll(),
  }

  /** Attaches to a new world. */
  begin(kernel: Kernel): void {
    this.#asleep = 0
    this.#last = 0
    kernel.trace.attach(this.#probes)
  }

  #wake(process: { readonly id: number }): void {
    this.#asleep &= ~bitOf(process)
  }

  #wakeAll(): void {
    this.#asleep = 0
  }

  /** The kills among the options that sleep: bit 0 is the first one. */
  asleepAt({ plain, count, actors }: ChoicePoint): number {
    if (this.#asleep === 0 || actors === null) return 0
    let bits = 0
    for (let kill = 0; kill < Math.min(count - plain, mostBits); kill++) {
      if (this.#asleep & bitOf((actors[plain + kill] as Kill).process)) bits |= 1 << kill
    }
    return bits
  }

  /**
   * An option was chosen: the kills that come before it sleep.
   *
   * Except that of the process which moved last and now waits. After the kill it could move, to exit, so any other move
   * would be a preemption, which costs more than the same move before the kill.
   */
  chosen({ plain, count, preempts, actors }: ChoicePoint, chosen: number): void {
    if (actors === null) return
    const end = chosen < plain ? count : chosen
    for (let i = plain; i < end; i++) {
      const bit = bitOf((actors[i] as Kill).process)
      if (preempts || bit !== this.#last) this.#asleep |= bit
    }
  }
}

/** Whether a mask of {@link SleepingKills.asleepAt} has this kill, by its number among the kills. */
export function sleeps(asleep: number, kill: number): boolean {
  return kill < mostBits && ((asleep >> kill) & 1) !== 0
}
