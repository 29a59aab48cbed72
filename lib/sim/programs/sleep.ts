import type { Calling } from './calling.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import { writeAll } from './write-all.ts'

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** /bin/sleep: sleeps the sum of its arguments, in seconds or with a unit (s, m, h, d). */
export function* sleep(process: SimulatedProcess): Calling<number> {
  let seconds = 0
  for (const argument of process.argv.slice(1)) {
    const [, number, unit = 's'] = /^(\d+(?:\.\d*)?|\.\d+)([smhd])?$/.exec(argument) ?? []
    if (number === undefined) {
      yield* writeAll(process, 2, new TextEncoder().encode(`sleep: invalid time interval '${argument}'\n`))
      return 1
    }
    seconds += Number(number) * units[unit]!
  }
  if (process.argv.length < 2) {
    yield* writeAll(process, 2, new TextEncoder().encode('sleep: missing operand\n'))
    return 1
  }
  yield* process.sleep(seconds * 1000)
  return 0
}
