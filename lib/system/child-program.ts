/**
 * The child program: what a forked child does until it execs or exits, as data.
 *
 * JavaScript cannot run after fork. The list is built here, flattened to native memory before the fork, and run by a small interpreter
 * that makes raw system calls only; the simulated kernel interprets the same list.
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
 * One thing a child does.
 *
 * - `traceme`: PTRACE_TRACEME: the parent becomes the tracer.
 * - `write`: writes all of `data` to a descriptor; `read`: reads exactly `bytes` bytes and discards them, and exits with 126 at end of file.
 * - `open`: opens `path` as descriptor `target` (`mode` as open(2) takes it, 0o666 when left out).
 * - `dup2`: makes `target` the same open file description as `fd`, kept across exec; with `fd === target` it clears close-on-exec.
 * - `setBlocking`: clears O_NONBLOCK of a descriptor's open file description, which other processes may share.
 * - `close`: closes a descriptor; `closeAllExcept`: really closes (not at exec, now) every descriptor that is not listed.
 * - `chdir`, `setsid`: as the calls of those names.
 * - `parentDeathSignal`: PR_SET_PDEATHSIG, bound to the launching thread; 0 clears it. Exits with 126 when the parent is already gone.
 * - `raise`: sends the signal to itself.
 * - `ignoreSignals`: sets each signal's action to SIG_IGN, which the program inherits.
 * - `signalMask`: the signals that the program starts with blocked; `execve` blocks them, and unblocks all others.
 * - `exit`: ends the child with that code. A list that runs out exits with 0.
 * - `execve`: blocks what `signalMask` says and nothing else, then tries the candidates in turn as execvp(3) does: past ENOENT, ENOTDIR,
 *   ESTALE, ENODEV and ETIMEDOUT, and past EACCES, which is then the error when none succeeds. A script without `#!` (ENOEXEC) is run by
 *   /bin/sh. ETXTBSY is retried for a bounded while. `env` entries read 'KEY=value'.
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

/** The name of an action, and of the step it is in a launch's error. */
export type ChildOp = ChildAction['op']

/**
 * A program for a child, run with every signal at its default action. Until exec it blocks SIGPIPE (a write that fails is told by its errno) and the
 * signals that dump core (a dump of memory that is shared would take the parent along on kernels before 5.16); all others take effect at once.
 *
 * The first action that fails sends one record, two native 32-bit integers (the action's index, its errno), to the descriptor `report`, if given,
 * and ends the child with exit code 127. See {@link decodeChildReport}.
 */
export interface ChildProgram {
  /** What the child does, in this order. */
  readonly actions: readonly ChildAction[]
  /** The descriptor that the record of a failed action is written to. */
  readonly report?: number
  /** 'shared' (the default): the child runs in the parent's memory until it execs or exits, however large that is; 'copied': a plain fork. */
  readonly memory?: 'shared' | 'copied'
}

/** The size of a failure record in bytes. */
export const childReportBytes = 8

/** Which action failed, and with which (positive) errno. */
export interface ChildReport {
  /** The index of the action that failed. */
  readonly action: number
  /** Its errno, positive. */
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

/** A program whose parts were all checked where they came from and change no more: it is taken as it is. */
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
 * Reads a program once, part by part, into a copy that is exactly what was checked: a property may answer differently the next time.
 *
 * Refuses what could not be carried out as written: a wrong type, a NUL in a string, an unknown action, an exec of nothing.
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
