/** A simulated program's accesses to shared memory, as calls. */

import { invalidType, invalidValue } from '../../system/arguments.ts'
import type { Task } from '../processes/task.ts'
import { begin, type Calling, checkTaken, note, offer } from './calling.ts'
import { Cell, loadRequest, storeRequest } from './cell.ts'

/** Reads a cell, in the program of a task. */
export function load<Value>(task: Task, cell: Cell<Value>): Calling<Value> {
  note(task, 'load')
  return loading(task, cell)
}

/** Writes a cell, in the program of a task. */
export function store<Value>(task: Task, cell: Cell<Value>, value: Value): Calling<void> {
  note(task, 'store')
  return storing(task, cell, value)
}

/** Also refuses a cell of another world, whose accesses no race detector would see. */
function checkCell(task: Task, cell: unknown): void {
  if (!(cell instanceof Cell)) throw invalidType('cell', 'a cell of kernel.cell()', cell)
  if (!cell.isOf(task.kernel))
    throw invalidValue('cell', 'must be a cell of the kernel that runs the program', cell.name)
}

function* loading<Value>(task: Task, cell: Cell<Value>): Calling<Value> {
  begin(task, 'load')
  checkCell(task, cell)
  const request = loadRequest(task, cell)
  const value: unknown = yield offer(task, request)
  checkTaken(task, request)
  return value as Value
}

function* storing<Value>(task: Task, cell: Cell<Value>, value: Value): Calling<void> {
  begin(task, 'store')
  checkCell(task, cell)
  const request = storeRequest(task, cell, value)
  yield offer(task, request)
  checkTaken(task, request)
}
