/** Runs one program in two worlds, comparing after every operation. */

import { type Observation, same, show } from './compare.ts'
import { type Operation, type Program, printProgram } from './operations.ts'
import { passedOver, perform } from './perform.ts'
import { Session } from './session.ts'
import { endChildren, finish, sweep } from './sweep.ts'
import type { World } from './world.ts'

/** The worlds did not agree. */
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

/** How many operations were carried out and compared: those passed over do not count. */
export function runProgram(program: Program, one: World, other: World): number {
  const sessions = [new Session(one), new Session(other)] as const
  let at = 0
  const compare = (what: string, look: (session: Session) => Observation) => {
    const [left, right] = [look(sessions[0]), look(sessions[1])]
    if (!same(left, right)) throw new Divergence(program, at, explain(what, sessions, left, right))
    return left
  }
  try {
    let performed = 0
    for (const operation of program.operations) {
      const result = compare(`the result of ${describe(operation)}`, session => performAndSettle(session, operation))
      if (result !== passedOver) performed++
      compare(`what was seen after ${describe(operation)}`, session => sweep(session, program.quiet))
      at++
    }
    for (const session of sessions) endChildren(session)
    compare('what was there at the end', finish)
    return performed
  } finally {
    for (const session of sessions) {
      endChildren(session)
      finish(session)
      session.world.leave()
    }
  }
}

function performAndSettle(session: Session, operation: Operation): Observation {
  const result = perform(session, operation)
  session.settle()
  return result
}

function describe(operation: Operation): string {
  return JSON.stringify(operation)
}

function explain(what: string, sessions: readonly Session[], left: Observation, right: Observation): string {
  const width = Math.max(...sessions.map(({ world }) => world.name.length))
  const lines = [left, right].map((each, i) => `  ${sessions[i]!.world.name.padEnd(width)}  ${show(each)}`)
  return `${what} differs:\n${lines.join('\n')}`
}

/** What to show of a program that failed, in the form that can be run again. */
export function report(divergence: Divergence): string {
  return `${divergence.message}\n\n${printProgram(divergence.program)}`
}
