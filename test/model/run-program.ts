/** Runs one program in two worlds, comparing after every operation. */

import { copy, type Observation, same, show } from './compare.ts'
import { type Operation, type Program, printProgram } from './operations.ts'
import { perform } from './perform.ts'
import { passedOver, Session } from './session.ts'
import { endChildren, finish, sweep } from './sweep.ts'
import type { World } from './world.ts'

/** The two worlds gave different observations. */
export class Divergence extends Error {
  override readonly name = 'Divergence'
  readonly program: Program
  /** The index of the operation after which they differed. */
  readonly at: number

  constructor(program: Program, at: number, what: string) {
    super(what)
    this.program = program
    this.at = at
  }
}

/** One thing to compare. */
interface Sight {
  /** Index of the operation after which it was made. */
  readonly at: number
  readonly kind: 'result' | 'sweep' | 'end'
  readonly observation: Observation
}

/** Runs a program in one world and yields every observation. Cleans up even if it is not run to its end. */
function* watch(program: Program, world: World): Generator<Sight, void, void> {
  const session = new Session(world)
  try {
    for (const [at, operation] of program.operations.entries()) {
      const observation = perform(session, operation)
      session.settle()
      yield { at, kind: 'result', observation }
      yield { at, kind: 'sweep', observation: sweep(session, program.quiet) }
    }
    endChildren(session)
    yield { at: program.operations.length, kind: 'end', observation: finish(session) }
  } finally {
    endChildren(session)
    finish(session)
    world.leave()
  }
}

/** Number of operations carried out and compared, without those passed over. */
export function runProgram(program: Program, one: World, other: World): number {
  return compare(program, [one, other], watch(program, one), watch(program, other))
}

/** Compares a world with itself, for one that cannot exist twice at once: runs the program in it twice. */
export function runTwice(program: Program, open: () => World): number {
  const first = open()
  const recorded: Sight[] = []
  for (const sight of watch(program, first)) recorded.push({ ...sight, observation: copy(sight.observation) })
  const second = open()
  return compare(program, [first, second], recorded.values(), watch(program, second))
}

function compare(
  program: Program,
  worlds: readonly [World, World],
  one: Iterator<Sight, unknown>,
  other: Iterator<Sight, unknown>,
): number {
  let performed = 0
  try {
    for (;;) {
      const [left, right] = [one.next(), other.next()]
      if (left.done || right.done) return performed
      const { at, kind, observation } = left.value
      const found = [observation, right.value.observation] as const
      if (!same(...found)) {
        throw new Divergence(program, at, explain(describe(kind, program.operations[at]), worlds, found))
      }
      if (kind === 'result' && observation !== passedOver) performed++
    }
  } finally {
    one.return?.()
    other.return?.()
  }
}

function describe(kind: Sight['kind'], operation: Operation | undefined): string {
  if (kind === 'end') return 'what was there at the end'
  return `${kind === 'result' ? 'the result of' : 'what was seen after'} ${JSON.stringify(operation)}`
}

function explain(what: string, worlds: readonly World[], found: readonly Observation[]): string {
  const width = Math.max(...worlds.map(({ name }) => name.length))
  const lines = found.map((each, i) => `  ${worlds[i]!.name.padEnd(width)}  ${show(each)}`)
  return `${what} differs:\n${lines.join('\n')}`
}

/** A failed program, printed so that it can be replayed. */
export function report(divergence: Divergence): string {
  return `${divergence.message}\n\n${printProgram(divergence.program)}`
}
