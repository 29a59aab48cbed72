/** Two accesses to one cell that nothing orders. */

/** One access to a cell, as a report names it. */
export interface CellAccess {
  /** The process that made the access. */
  readonly pid: number
  /** The thread that made the access. */
  readonly tid: number
  /** '101 (/bin/cat)'. */
  readonly name: string
  /** Whether it read or wrote. */
  readonly call: 'load' | 'store'
  /** What was loaded or stored. */
  readonly value: unknown
  /** The how manyeth access to this cell it was in the run, from 1. */
  readonly number: number
}

/** The cell of a race. */
export interface RacedCell {
  /** The kernel's number of it. */
  readonly id: number
  /** 'cell 7', or the name it was made with. */
  readonly name: string
}

/** Two accesses to one cell, at least one of them a store, with nothing that makes one come before the other. */
export class DataRaceError extends Error {
  override readonly name = 'DataRaceError'
  readonly code = 'ERR_DATA_RACE'
  /** The cell and the two accesses that nothing orders. */
  readonly cell: RacedCell
  /** In the order of this run. */
  readonly accesses: readonly [first: CellAccess, second: CellAccess]

  constructor(cell: RacedCell, accesses: readonly [CellAccess, CellAccess]) {
    const lines = accesses.map(access => `  ${access.name} ${describeAccess(cell, access)}`)
    super([`data race on ${cell.name}: nothing orders these two accesses`, ...lines].join('\n'))
    this.cell = cell
    this.accesses = accesses
  }
}

/** 'store(cell 7, true), access 2 of it'. */
function describeAccess(cell: RacedCell, { call, value, number }: CellAccess): string {
  const text = call === 'store' ? `store(${cell.name}, ${show(value)})` : `load(${cell.name}) = ${show(value)}`
  return `${text}, access ${number} to it`
}

const longest = 40

function show(value: unknown): string {
  let text: string | undefined
  try {
    text = typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
  } catch {
    // A value that refers to itself has no JSON.
  }
  text ??= String(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}
