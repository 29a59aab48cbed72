/**
 * The child program: what a forked child does until it execs or exits, as data.
 *
 * JavaScript cannot run after fork. The list is built here, flattened to native memory before the fork, and run by a small interpreter
 * that makes raw system calls only; the simulated kernel interprets the same list.
 */

import {
  checkArray,
  checkBytes,
  checkInt,
  checkMask,
  checkObject,
  checkSignal,
  checkString,
  invalidValue,
} from './arguments.ts'
import type { Signal } from './signals.ts'

/**
 * One thing a child does.
 *
 * - `traceme`: PTRACE_TRACEME: the parent becomes the tracer.
 * - `write`: writes all of `data` to a descriptor; `read`: reads exactly `bytes` bytes and discards them, and exits with 126 at end of file.
 * - `open`: opens `path` as descriptor `target` (`mode` as open(2) takes it, 0o666 when left out).
 * - `dup2`: makes `target` the same open file description as `fd`, kept across exec; with `fd === target` it clears close-on-exec.
 * - `close`: closes a descriptor; `closeAllExcept`: really closes (not at exec, now) every descriptor that is not listed.
 * - `chdir`, `setsid`: as the calls of those names.
 * - `parentDeathSignal`: PR_SET_PDEATHSIG, bound to the launching thread; 0 clears it. Exits with 126 when the parent is already gone.
 * - `raise`: sends the signal to itself.
 * - `exit`: ends the child with that code. A list that runs out exits with 0.
 * - `execve`: tries the candidates in turn (past ENOENT and ENOTDIR; past EACCES too, which is then the error when none succeeds);
 *   ETXTBSY is retried for a bounded while. `env` entries read 'KEY=value'; without `env` the program gets the parent's own, as with execv(3).
 */
export type ChildAction =
  | { readonly op: 'traceme' }
  | { readonly op: 'write'; readonly fd: number; readonly data: Uint8Array }
  | { readonly op: 'read'; readonly fd: number; readonly bytes: number }
  | {
      readonly op: 'open'
      readonly path: string
      readonly flags: number
      readonly mode?: number
      readonly target: number
    }
  | { readonly op: 'dup2'; readonly fd: number; readonly target: number }
  | { readonly op: 'close'; readonly fd: number }
  | { readonly op: 'closeAllExcept'; readonly fds: readonly number[] }
  | { readonly op: 'chdir'; readonly path: string }
  | { readonly op: 'setsid' }
  | { readonly op: 'parentDeathSignal'; readonly signal: Signal | 0 }
  | { readonly op: 'raise'; readonly signal: Signal }
  | { readonly op: 'exit'; readonly code: number }
  | {
      readonly op: 'execve'
      readonly files: readonly string[]
      readonly argv: readonly string[]
      readonly env?: readonly string[]
    }

/** The name of an action, and of the step it is in a launch's error. */
export type ChildOp = ChildAction['op']

/**
 * A program for a child, run with every signal at its default action and none blocked.
 *
 * The first action that fails sends one record, two native 32-bit integers (the action's index, its errno), to the descriptor `report`, if given,
 * and ends the child with exit code 127. See {@link decodeChildReport}.
 */
export interface ChildProgram {
  readonly actions: readonly ChildAction[]
  readonly report?: number
  /** 'shared' (the default): the child runs in the parent's memory until it execs or exits, however large that is; 'copied': a plain fork. */
  readonly memory?: 'shared' | 'copied'
}

/** The size of a failure record in bytes. */
export const childReportBytes = 8

/** Which action failed, and with which (positive) errno. */
export interface ChildReport {
  readonly action: number
  readonly errno: number
}

/** Reads a failure record; undefined when the bytes are too few to be one. */
export function decodeChildReport(bytes: Uint8Array): ChildReport | undefined {
  if (bytes.length < childReportBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, childReportBytes)
  return { action: view.getInt32(0, true), errno: view.getInt32(4, true) }
}

/** Writes a failure record. */
export function encodeChildReport(report: ChildReport): Uint8Array {
  const bytes = new Uint8Array(childReportBytes)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, report.action, true)
  view.setInt32(4, report.errno, true)
  return bytes
}

/** Refuses a program that could not be carried out as written: a wrong type, a NUL in a string, an unknown action, an exec of nothing. */
export function checkChildProgram(program: unknown): asserts program is ChildProgram {
  const fields = checkObject(program, 'program')
  const actions = checkArray(fields.actions, 'program.actions')
  if (fields.report !== undefined) checkInt(fields.report, 'program.report')
  const memory = fields.memory
  if (memory !== undefined && memory !== 'shared' && memory !== 'copied') {
    throw invalidValue('program.memory', "must be 'shared' or 'copied'", memory)
  }
  for (let i = 0; i < actions.length; i++) checkAction(actions[i], `program.actions[${i}]`)
}

function checkAction(value: unknown, name: string): void {
  checkObject(value, name)
  const action = value as ChildAction
  switch (action.op) {
    case 'traceme':
    case 'setsid':
      return
    case 'write':
      checkInt(action.fd, `${name}.fd`)
      checkBytes(action.data, `${name}.data`)
      return
    case 'read':
      checkInt(action.fd, `${name}.fd`)
      checkInt(action.bytes, `${name}.bytes`)
      return
    case 'open':
      checkString(action.path, `${name}.path`)
      checkMask(action.flags, `${name}.flags`)
      if (action.mode !== undefined) checkMask(action.mode, `${name}.mode`)
      checkInt(action.target, `${name}.target`)
      return
    case 'dup2':
      checkInt(action.fd, `${name}.fd`)
      checkInt(action.target, `${name}.target`)
      return
    case 'close':
      checkInt(action.fd, `${name}.fd`)
      return
    case 'closeAllExcept':
      for (const fd of checkArray(action.fds, `${name}.fds`)) checkInt(fd, `${name}.fds`)
      return
    case 'chdir':
      checkString(action.path, `${name}.path`)
      return
    case 'parentDeathSignal':
    case 'raise':
      checkSignal(action.signal, `${name}.signal`)
      return
    case 'exit':
      checkInt(action.code, `${name}.code`)
      return
    case 'execve':
      if (checkStrings(action.files, `${name}.files`) === 0) throw invalidValue(`${name}.files`, 'must name a file')
      checkStrings(action.argv, `${name}.argv`)
      if (action.env !== undefined) checkStrings(action.env, `${name}.env`)
      return
    default:
      throw invalidValue(`${name}.op`, 'is no action of a child program', String((value as { op: unknown }).op))
  }
}

function checkStrings(value: unknown, name: string): number {
  const list = checkArray(value, name)
  for (let i = 0; i < list.length; i++) checkString(list[i], `${name}[${i}]`)
  return list.length
}
