/** The tables of system calls, expanded when an architecture is first asked for. */

import type { Architecture } from '../system/architecture.ts'
import { invalidType, invalidValue } from '../system/argument-errors.ts'
import type { SyscallTables } from '../system/syscall-tables.ts'
import { arm } from './arm.ts'
import { arm64 } from './arm64.ts'
import { ia32 } from './ia32.ts'
import { x64 } from './x64.ts'

/** Names separated by white space; a number says that of the next name, which otherwise has the next number. */
const sources: Readonly<Record<Architecture, string>> = { x64, ia32, arm64, arm }

interface Table {
  readonly names: ReadonlyMap<number, string>
  readonly numbers: ReadonlyMap<string, number>
}

const expanded = new Map<Architecture, Table>()

function tableOf(architecture: unknown): Table {
  if (typeof architecture !== 'string') throw invalidType('architecture', 'of type string', architecture)
  if (!Object.hasOwn(sources, architecture)) {
    throw invalidValue('architecture', `must be one of ${Object.keys(sources).join(', ')}`, architecture)
  }
  const known = expanded.get(architecture as Architecture)
  if (known !== undefined) return known
  const table = expand(sources[architecture as Architecture])
  expanded.set(architecture as Architecture, table)
  return table
}

function expand(source: string): Table {
  const names = new Map<number, string>()
  const numbers = new Map<string, number>()
  let next = 0
  for (const word of source.trim().split(/\s+/)) {
    const number = Number(word)
    if (Number.isNaN(number)) {
      names.set(next, word)
      numbers.set(word, next++)
    } else {
      next = number
    }
  }
  return { names, numbers }
}

/** The tables, as the functions of 'tracegate' use them. */
export const tables: SyscallTables = {
  nameOf(number, architecture) {
    if (typeof number !== 'number') throw invalidType('number', 'of type number', number)
    return tableOf(architecture).names.get(number)
  },
  numberOf(name, architecture) {
    if (typeof name !== 'string') throw invalidType('name', 'of type string', name)
    return tableOf(architecture).numbers.get(name)
  },
}
