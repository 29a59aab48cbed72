/** The error of a data race. */

import { printable } from '../../system/printable.ts'
import { textOf } from '../base/thrown.ts'

/** One access to a cell. */
export interface CellAccess {
  /** The process that made the access. */
  readonly pid: number
  /** The thread that made the access. */
  readonly tid: number
  /** Name of the process, or of the thread: '101 (/bin/cat)', 'thread 102 of 101 (/bin/cat)'. */
  readonly name: string
  /** Whether it is a read or a write. */
  readonly call: 'load' | 'store'
  /** The value loaded or stored. */
  readonly value: unknown
  /** 1-based index of this access among all accesses to the cell in the run. */
  readonly number: number
}

/** The cell of a race. */
export interface RacedCell {
  /** Its number in the kernel. */
  readonly id: number
  /** 'cell 7', or the name it was made with. */
  readonly name: string
}

/** Two accesses to one cell, at least one of them a store, that no happens-before order separates. */
export class DataRaceError extends Error {
  override readonly name = 'DataRaceError'
  readonly code = 'ERR_DATA_RACE'
  /** The cell that both access. */
  readonly cell: RacedCell
  /** The two accesses, in the order of this run. */
  readonly accesses: readonly [first: CellAccess, second: CellAccess]

  constructor(cell: RacedCell, accesses: readonly [CellAccess, CellAccess]) {
    const lines = accesses.map(access => `  ${access.name} ${describeAccess(cell, access)}`)
    super([`data race on ${cell.name}: nothing orders these two accesses`, ...lines].map(printable).join('\n'))
    this.cell = cell
    this.accesses = accesses
  }
}

/** 'store(cell 7, true), access 2 to it'. */
function describeAccess(cell: RacedCell, { call, value, number }: CellAccess): string {
  const text = call === 'store' ? `store(${cell.name}, ${show(value)})` : `load(${cell.name}) = ${show(value)}`
  return `${text}, access ${number} to it`
}

const longest = 40

function show(value: unknown): string {
  const text = asText(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

function asText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // A cyclic value has no JSON; its toJSON(), or a trap of a Proxy, may throw.
    return textOf(value)
  }
}
