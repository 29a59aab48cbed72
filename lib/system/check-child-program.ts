/** The check of a child program: what cannot be carried out is refused before the fork. */

import {
  checkBoolean,
  checkBytes,
  checkFields,
  checkInt,
  checkIntItem,
  checkList,
  checkMask,
  checkNotNegative,
  checkNumber,
  checkOptions,
  checkSignal,
  checkSignalOfSet,
  checkStringItem,
  invalidType,
  invalidValue,
  outOfRange,
} from './arguments.ts'
import type { ChildAction, ChildOp, ChildProgram } from './child-program.ts'
import type { NamespaceName } from './namespaces.ts'
import { isResourceName } from './resources.ts'
import { checkCpu, checkLimit, checkNamespace } from './setting-arguments.ts'

/** A program of checked, immutable parts, which needs no second check. */
export class CheckedProgram implements ChildProgram {
  readonly actions: readonly ChildAction[]
  readonly report: number
  readonly memory: 'shared' | 'copied'
  readonly namespaces: readonly NamespaceName[]
  /** Whether a failed child leaves its record in memory: see PrivateCalls.takeReport. */
  readonly keepsReport: boolean

  constructor(
    actions: readonly ChildAction[],
    report: number,
    memory: 'shared' | 'copied',
    namespaces: readonly NamespaceName[],
    keepsReport: boolean,
  ) {
    this.actions = actions
    this.report = report
    this.memory = memory
    this.namespaces = namespaces
    this.keepsReport = keepsReport
  }
}

/** Whether a failed child of the program leaves its record in memory. */
export function keepsReport(program: ChildProgram): boolean {
  return program instanceof CheckedProgram && program.keepsReport
}

const programFields = ['actions', 'report', 'memory', 'namespaces'] as const

/** Whether an action changes what belongs to the memory, and so must not run in the parent's. */
export function needsCopiedMemory(op: ChildOp): boolean {
  return op === 'uid' || op === 'gid' || op === 'oomScoreAdj'
}

/**
 * Copies a program, reading each part once: a getter may answer differently the second time.
 *
 * Refuses what cannot be carried out: a wrong type, a NUL in a string, an unknown action, an exec of nothing.
 */
export function checkChildProgram(program: unknown): ChildProgram {
  if (program instanceof CheckedProgram) return program
  const { actions, report, memory, namespaces } = checkOptions(program, 'program', programFields)
  if (memory !== undefined && memory !== 'shared' && memory !== 'copied') {
    throw invalidValue('program.memory', "must be 'shared' or 'copied'", memory)
  }
  const list = checkList(actions, () => 'program.actions', readAction)
  const alone = memory === 'shared' ? list.find(({ op }) => needsCopiedMemory(op)) : undefined
  if (alone !== undefined) throw invalidValue('program.memory', `must be 'copied' for '${alone.op}'`, memory)
  return {
    actions: list,
    ...(report !== undefined && { report: checkInt(report, 'program.report') }),
    ...(memory !== undefined && { memory }),
    ...(namespaces !== undefined && { namespaces: checkList(namespaces, () => 'program.namespaces', checkNamespace) }),
  }
}

type Fields = { readonly [op in ChildOp]: readonly string[] }

// Made for the first program that is checked: a launch needs no check.
let fieldsOf: Fields | undefined

/** The fields of each action. */
const allFields = (): Fields => ({
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
  parentDeathSignal: ['op', 'signal', 'parent'],
  processGroup: ['op', 'group'],
  controllingTerminal: ['op', 'fd'],
  foreground: ['op'],
  cgroup: ['op', 'path'],
  umask: ['op', 'mask'],
  rlimits: ['op', 'resource', 'soft', 'hard'],
  nice: ['op', 'nice'],
  oomScoreAdj: ['op', 'score'],
  affinity: ['op', 'cpus'],
  aslr: ['op', 'on'],
  namespaces: ['op', 'namespaces'],
  chroot: ['op', 'path'],
  groups: ['op', 'groups', 'optional'],
  gid: ['op', 'gid'],
  uid: ['op', 'uid'],
  tracer: ['op', 'pid'],
  noNewPrivileges: ['op'],
  seccomp: ['op', 'filter'],
  raise: ['op', 'signal'],
  ignoreSignals: ['op', 'signals'],
  signalMask: ['op', 'signals'],
  exit: ['op', 'code'],
  execve: ['op', 'files', 'argv', 'env'],
})

function readAction(value: unknown, at: () => string): ChildAction {
  if (typeof value !== 'object' || value === null) throw invalidType(at(), 'of type object', value)
  const fields = value as Record<string, unknown>
  const op = fields.op as ChildOp
  fieldsOf ??= allFields()
  if (typeof op !== 'string' || !Object.hasOwn(fieldsOf, op)) {
    throw invalidValue(`${at()}.op`, 'is no action of a child program', op)
  }
  checkFields(value, at, fieldsOf[op])
  switch (op) {
    case 'traceme':
    case 'setsid':
    case 'foreground':
    case 'noNewPrivileges':
      return { op }
    case 'write':
      return { op, fd: int(fields, 'fd', at), data: new Uint8Array(checkBytes(fields.data, `${at()}.data`)) }
    case 'read':
      return { op, fd: int(fields, 'fd', at), bytes: checkNotNegative(fields.bytes, `${at()}.bytes`) }
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
    case 'controllingTerminal':
      return { op, fd: int(fields, 'fd', at) }
    case 'closeAllExcept':
      return { op, fds: checkList(fields.fds, () => `${at()}.fds`, checkIntItem) }
    case 'chdir':
    case 'cgroup':
    case 'chroot':
      return { op, path: text(fields, 'path', at) }
    case 'parentDeathSignal': {
      const { signal, parent } = fields
      const polled = parent === undefined ? undefined : checkInt(parent, `${at()}.parent`)
      return { op, signal: checkSignal(signal, `${at()}.signal`), ...(polled !== undefined && { parent: polled }) }
    }
    case 'raise':
      return { op, signal: checkSignal(fields.signal, `${at()}.signal`) }
    case 'ignoreSignals':
    case 'signalMask':
      return { op, signals: checkList(fields.signals, () => `${at()}.signals`, checkSignalOfSet) }
    case 'exit':
      return { op, code: int(fields, 'code', at) }
    case 'execve': {
      const files = checkList(fields.files, () => `${at()}.files`, checkStringItem)
      if (files.length === 0) throw invalidValue(`${at()}.files`, 'must name a file')
      const argv = checkList(fields.argv, () => `${at()}.argv`, checkStringItem)
      return { op, files, argv, env: checkList(fields.env, () => `${at()}.env`, checkStringItem) }
    }
    default:
      return readSetting(op, fields, at)
  }
}

type SettingOp =
  | 'processGroup'
  | 'umask'
  | 'rlimits'
  | 'nice'
  | 'oomScoreAdj'
  | 'affinity'
  | 'aslr'
  | 'namespaces'
  | 'groups'
  | 'gid'
  | 'uid'
  | 'tracer'
  | 'seccomp'

/** Reads an action that carries out an option of launch(). */
function readSetting(op: SettingOp, fields: Record<string, unknown>, at: () => string): ChildAction {
  switch (op) {
    case 'processGroup':
      return { op, group: int(fields, 'group', at) }
    case 'umask':
      return { op, mask: checkMask(fields.mask, `${at()}.mask`) }
    case 'rlimits': {
      const { resource, soft, hard } = fields
      if (!isResourceName(resource)) throw invalidValue(`${at()}.resource`, 'must be the name of a resource', resource)
      return {
        op,
        resource,
        soft: checkLimit(soft, () => `${at()}.soft`),
        hard: checkLimit(hard, () => `${at()}.hard`),
      }
    }
    case 'nice':
      return { op, nice: int(fields, 'nice', at) }
    case 'oomScoreAdj':
      return { op, score: int(fields, 'score', at) }
    case 'affinity':
      return { op, cpus: checkList(fields.cpus, () => `${at()}.cpus`, checkCpu) }
    case 'aslr':
      return { op, on: checkBoolean(fields.on, `${at()}.on`) }
    case 'namespaces':
      return { op, namespaces: checkList(fields.namespaces, () => `${at()}.namespaces`, checkNamespace) }
    case 'groups': {
      const { groups, optional } = fields
      const list = checkList(groups, () => `${at()}.groups`, checkIdItem)
      if (optional === undefined) return { op, groups: list }
      return { op, groups: list, optional: checkBoolean(optional, `${at()}.optional`) }
    }
    case 'gid':
      return { op, gid: checkId(fields.gid, `${at()}.gid`) }
    case 'uid':
      return { op, uid: checkId(fields.uid, `${at()}.uid`) }
    case 'tracer':
      return { op, pid: int(fields, 'pid', at) }
    case 'seccomp':
      return { op, filter: new Uint8Array(checkBytes(fields.filter, `${at()}.filter`)) }
  }
}

/** The highest id. The next one, (uid_t)-1, means 'unchanged' to setresuid(2): the child would keep its privileges. */
const mostId = 0xfffffffe

function checkId(value: unknown, name: string): number {
  const id = checkNumber(value, name)
  if (!Number.isInteger(id) || id < 0 || id > mostId) throw outOfRange(name, `an integer, 0 to ${mostId}`, id)
  return id
}

function checkIdItem(value: unknown, name: () => string): number {
  return checkId(value, name())
}

function int(fields: Record<string, unknown>, field: string, at: () => string): number {
  return checkIntItem(fields[field], () => `${at()}.${field}`)
}

function text(fields: Record<string, unknown>, field: string, at: () => string): string {
  return checkStringItem(fields[field], () => `${at()}.${field}`)
}
