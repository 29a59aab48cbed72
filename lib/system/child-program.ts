/**
 * The child program: what a forked child does until it execs or exits, as data.
 *
 * JavaScript cannot run after fork. The parent flattens the list to native memory before the fork. A small interpreter
 * in the child runs it with raw system calls only. The simulated kernel interprets the same list.
 */

import {
  checkBytes,
  checkFields,
  checkInt,
  checkIntItem,
  checkList,
  checkMask,
  checkOptions,
  checkSignal,
  checkSignalOfSet,
  checkString,
  invalidType,
  invalidValue,
} from './arguments.ts'
import type { Signal } from './signals.ts'

/**
 * One action of a child.
 *
 * - `traceme`: PTRACE_TRACEME: the parent becomes the tracer.
 * - `write`: writes all of `data` to a descriptor.
 * - `read`: reads exactly `bytes` bytes and discards them. At end of file it exits with 126.
 * - `open`: opens `path` as descriptor `target`. `mode` is that of open(2), by default 0o666.
 * - `dup2`: makes `target` the same open file description as `fd`, kept across exec. With `fd === target` it clears
 *   close-on-exec.
 * - `setBlocking`: clears O_NONBLOCK of a descriptor's open file description, which other processes may share.
 * - `close`: closes a descriptor.
 * - `closeAllExcept`: closes every descriptor that is not listed, immediately and not at exec.
 * - `chdir`, `setsid`: the calls of those names.
 * - `parentDeathSignal`: PR_SET_PDEATHSIG, bound to the launching thread; 0 clears it. Exits with 126 if the parent is
 *   already gone.
 * - `raise`: sends the signal to the child itself.
 * - `ignoreSignals`: sets each signal's action to SIG_IGN, which the program inherits.
 * - `signalMask`: the signals that the program starts with blocked. `execve` blocks them and unblocks all others.
 * - `exit`: ends the child with that code. A list that runs out exits with 0.
 * - `execve`: sets the mask of `signalMask`, then tries the candidates in turn as execvp(3) does. It continues after
 *   ENOENT, ENOTDIR, ESTALE, ENODEV and ETIMEDOUT. It also continues after EACCES, which is the error if no candidate
 *   succeeds. /bin/sh runs a script without `#!` (ENOEXEC). ETXTBSY is retried for a bounded time. `env` entries read
 *   'KEY=value'.
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
  | { readonly op: 'setBlocking'; readonly fd: number }
  | { readonly op: 'close'; readonly fd: number }
  | { readonly op: 'closeAllExcept'; readonly fds: readonly number[] }
  | { readonly op: 'chdir'; readonly path: string }
  | { readonly op: 'setsid' }
  | { readonly op: 'parentDeathSignal'; readonly signal: Signal | 0 }
  | { readonly op: 'raise'; readonly signal: Signal }
  | { readonly op: 'ignoreSignals'; readonly signals: readonly Signal[] }
  | { readonly op: 'signalMask'; readonly signals: readonly Signal[] }
  | { readonly op: 'exit'; readonly code: number }
  | {
      readonly op: 'execve'
      readonly files: readonly string[]
      readonly argv: readonly string[]
      readonly env: readonly string[]
    }

/** The name of an action. A launch's error names the failed step by it. */
export type ChildOp = ChildAction['op']

/**
 * A program for a child. Every signal starts at its default action.
 *
 * Until exec the child blocks SIGPIPE, so that a failed write returns its errno. It also blocks the signals that dump
 * core: before Linux 5.16 a dump of shared memory kills the parent, too. All other signals take effect at once.
 *
 * The first action that fails writes one record to the descriptor `report`, if given: two native 32-bit integers, the
 * action's index and its errno. The child then exits with 127. See {@link decodeChildReport}.
 */
export interface ChildProgram {
  /** The actions, in order. */
  readonly actions: readonly ChildAction[]
  /** The descriptor that receives the record of a failed action. */
  readonly report?: number
  /**
   * 'shared' (the default): the child runs in the parent's memory until it execs or exits, however large that is.
   * 'copied': a plain fork.
   */
  readonly memory?: 'shared' | 'copied'
}

/** The size of a failure record in bytes. */
export const childReportBytes = 8

/** The record of a failed action. */
export interface ChildReport {
  /** The index of the action that failed. */
  readonly action: number
  /** Its positive errno. */
  readonly errno: number
}

/** Decodes a failure record; undefined if there are too few bytes. */
export function decodeChildReport(bytes: Uint8Array): ChildReport | undefined {
  if (bytes.length < childReportBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, childReportBytes)
  return { action: view.getInt32(0, true), errno: view.getInt32(4, true) }
}

/** Encodes a failure record. */
export function encodeChildReport(report: ChildReport): Uint8Array {
  const bytes = new Uint8Array(childReportBytes)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, report.action, true)
  view.setInt32(4, report.errno, true)
  return bytes
}

/** A program of checked, immutable parts, which needs no second check. */
export class CheckedProgram implements ChildProgram {
  readonly actions: readonly ChildAction[]
  readonly report: number
  readonly memory: 'shared' | 'copied'

  constructor(actions: readonly ChildAction[], report: number, memory: 'shared' | 'copied') {
    this.actions = actions
    this.report = report
    this.memory = memory
  }
}

/**
 * Copies a program, reading each part once: a getter may answer differently the second time.
 *
 * Refuses what cannot be carried out: a wrong type, a NUL in a string, an unknown action, an exec of nothing.
 */
export function checkChildProgram(program: unknown): ChildProgram {
  if (program instanceof CheckedProgram) return program
  const { actions, report, memory } = checkOptions(program, 'program', ['actions', 'report', 'memory'])
  if (memory !== undefined && memory !== 'shared' && memory !== 'copied') {
    throw invalidValue('program.memory', "must be 'shared' or 'copied'", memory)
  }
  return {
    actions: checkList(actions, () => 'program.actions', readAction),
    ...(report !== undefined && { report: checkInt(report, 'program.report') }),
    ...(memory !== undefined && { memory }),
  }
}

/** The fields of each action. */
const fieldsOf: { readonly [op in ChildOp]: readonly string[] } = {
  traceme: ['op'],
  write: ['op', 'fd', 'data'],
  read: ['op', 'fd', 'bytes'],
  open: ['op', 'path', 'flags', 'mode', 'target'],
  dup2: ['op', 'fd', 'target'],
  setBlocking: ['op', 'fd'],
  close: ['op', 'fd'],
  closeAllExcept: ['op', 'fds'],
  chdir: ['op', 'path'],
  setsid: ['op'],
  parentDeathSignal: ['op', 'signal'],
  raise: ['op', 'signal'],
  ignoreSignals: ['op', 'signals'],
  signalMask: ['op', 'signals'],
  exit: ['op', 'code'],
  execve: ['op', 'files', 'argv', 'env'],
}

function readAction(value: unknown, at: () => string): ChildAction {
  if (typeof value !== 'object' || value === null) throw invalidType(at(), 'of type object', value)
  const fields = value as Record<string, unknown>
  const op = fields.op as ChildOp
  if (typeof op !== 'string' || !Object.hasOwn(fieldsOf, op)) {
    throw invalidValue(`${at()}.op`, 'is no action of a child program', op)
  }
  checkFields(value, at, fieldsOf[op])
  switch (op) {
    case 'traceme':
    case 'setsid':
      return { op }
    case 'write':
      return { op, fd: int(fields, 'fd', at), data: new Uint8Array(checkBytes(fields.data, `${at()}.data`)) }
    case 'read':
      return { op, fd: int(fields, 'fd', at), bytes: int(fields, 'bytes', at) }
    case 'open': {
      const flags = checkMask(fields.flags, `${at()}.flags`)
      const { mode = 0o666 } = fields
      const path = text(fields, 'path', at)
      return { op, path, flags, mode: checkMask(mode, `${at()}.mode`), target: int(fields, 'target', at) }
    }
    case 'dup2':
      return { op, fd: int(fields, 'fd', at), target: int(fields, 'target', at) }
    case 'setBlocking':
    case 'close':
      return { op, fd: int(fields, 'fd', at) }
    case 'closeAllExcept':
      return { op, fds: checkList(fields.fds, () => `${at()}.fds`, checkIntItem) }
    case 'chdir':
      return { op, path: text(fields, 'path', at) }
    case 'parentDeathSignal':
    case 'raise':
      return { op, signal: checkSignal(fields.signal, `${at()}.signal`) }
    case 'ignoreSignals':
    case 'signalMask':
      return { op, signals: checkList(fields.signals, () => `${at()}.signals`, checkSignalOfSet) }
    case 'exit':
      return { op, code: int(fields, 'code', at) }
    case 'execve': {
      const files = checkList(fields.files, () => `${at()}.files`, readText)
      if (files.length === 0) throw invalidValue(`${at()}.files`, 'must name a file')
      const argv = checkList(fields.argv, () => `${at()}.argv`, readText)
      return { op, files, argv, env: checkList(fields.env, () => `${at()}.env`, readText) }
    }
  }
}

function int(fields: Record<string, unknown>, field: string, at: () => string): number {
  return checkIntItem(fields[field], () => `${at()}.${field}`)
}

function text(fields: Record<string, unknown>, field: string, at: () => string): string {
  return readText(fields[field], () => `${at()}.${field}`)
}

function readText(value: unknown, at: () => string): string {
  return typeof value === 'string' && !value.includes('\0') ? value : checkString(value, at())
}
