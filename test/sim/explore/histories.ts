/** The history of each task in a run. Schedules with the same histories are the same to all that runs in them. */

import { checksOf } from '../../../lib/sim/explore/checks.ts'
import { Oracle } from '../../../lib/sim/explore/oracle.ts'
import { Runner } from '../../../lib/sim/explore/runner.ts'
import type { Strategy } from '../../../lib/sim/explore/strategy.ts'
import type { Scenario } from '../../../lib/sim/index.ts'
import type { Kernel } from '../../../lib/sim/kernel/kernel.ts'

/** What a task has asked for, been answered and undergone, in its order. */
class Histories {
  readonly #histories = new Map<string, string[]>()

  record(kernel: Kernel): void {
    kernel.trace.attach({
      calling: ({ label }, { name }) => this.#add(label, name),
      answered: ({ label }, result) => this.#add(label, JSON.stringify(result)),
      settling: ({ label }) => this.#add(kernel.host.label, `settles ${label}`),
      handling: ({ label }, signal) => this.#add(label, `handles ${signal}`),
      parked: ({ label }, state) => this.#add(label, state),
      executed: ({ label }) => this.#add(label, 'execs'),
      exiting: ({ label }) => this.#add(label, 'exits'),
      faulted: ({ label }, what) => this.#add(label, `fault: ${what}`),
    })
  }

  #add(label: string, what: string): void {
    const history = this.#histories.get(label)
    if (history === undefined) this.#histories.set(label, [what])
    else history.push(what)
  }

  toString(): string {
    return JSON.stringify([...this.#histories].sort())
  }
}

/** What a strategy comes to: the histories of all runs that it counts, each with its finding, and their number. */
export async function historiesOf(
  scenario: Scenario,
  strategy: Strategy,
  faults: number,
): Promise<{ histories: Set<string>; schedules: number }> {
  const histories = new Set<string>()
  let schedules = 0
  const runner = new Runner(scenario, { faults })
  try {
    const oracle = new Oracle(strategy)
    while (strategy.next()) {
      const run = new Histories()
      const record = (kernel: Kernel) => {
        run.record(kernel)
        return checksOf(kernel)
      }
      const finding = await runner.run(oracle, record, false)
      const counts = strategy.end()
      if (strategy.difference !== null) throw new Error(strategy.difference)
      if (!counts) continue
      schedules++
      histories.add(finding === null ? `${run}` : `${run} ${finding.kind}: ${finding.error.message}`)
    }
  } finally {
    runner.close()
  }
  return { histories, schedules }
}
