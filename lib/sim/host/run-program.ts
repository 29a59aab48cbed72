/** SimulatedKernel.run(): one program as a child of the host, run to its end with what it writes collected. */

import {
  checkInt,
  checkList,
  checkObject,
  checkOptions,
  checkString,
  checkStringItem,
  invalidType,
  invalidValue,
} from '../../system/arguments.ts'
import { CheckedProgram } from '../../system/check-child-program.ts'
import type { ChildAction, ChildReport } from '../../system/child-program.ts'
import { constants } from '../../system/constants.ts'
import { isErrno, SystemError } from '../../system/errors.ts'
import type { System } from '../../system/system.ts'
import { type ExitStatus, isExit } from '../../system/wait-status.ts'
import { ENOENT } from '../base/results.ts'
import { simulatedHint } from '../base/simulated-hint.ts'
import { ExternalOpenFile } from '../files/external-file.ts'
import { NullDevice } from '../files/null-device.ts'
import type { OpenFile } from '../files/open-file.ts'
import type { ExternalFile } from '../files/outside-answers.ts'
import type { Crash, Kernel } from '../kernel/kernel.ts'

/** A descriptor of the program: 'pipe' is collected, or fed from `input`; a number is a descriptor of the host. */
export type RunStdio = 'pipe' | 'ignore' | 'inherit' | number

/** How a program is run. */
export interface RunOptions {
  /** Its arguments, argv[0] included (default: the path alone). */
  readonly argv?: readonly string[]
  /** Its environment, as 'KEY=value' or as an object (default: empty). */
  readonly env?: readonly string[] | Readonly<Record<string, string>>
  /** Its descriptors 0 to 2, one value for all or one for each (default: 'pipe'). */
  readonly stdio?: RunStdio | readonly (RunStdio | undefined)[]
  /** What it reads from descriptor 0, if that is 'pipe' (default: end of file at once). */
  readonly input?: string | Uint8Array
}

/** The outcome of a run. */
export interface ProgramRun {
  /** How it ended. */
  readonly status: ExitStatus
  /** The error that it did not catch, which ended it by SIGABRT; null if there was none. */
  readonly crash: Crash | null
  /** What it wrote to descriptor 1, if that is 'pipe'. */
  readonly stdout: string
  /** What it wrote to descriptor 2, if that is 'pipe'. */
  readonly stderr: string
}

const optionNames: readonly (keyof RunOptions)[] = ['argv', 'env', 'stdio', 'input']

/** No descriptor for the record of a failed action: it stays in memory. */
const noReport = -1

/** Runs the program at a path to its end. Its own children may outlive it. */
export function runProgram(kernel: Kernel, host: System, path: string, options: RunOptions): ProgramRun {
  const { argv, env, stdio, input } = checkRun(path, options)
  const { fileTree, host: caller } = kernel
  const found = fileTree.program(caller.process.directory, path)
  if (typeof found === 'number') throw execFailure(found, path)
  const collected: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] }
  const opened: number[] = []
  try {
    const sources = stdio.map((each, fd) => {
      const outside = fd === 0 ? inputFrom(input) : outputTo(collected[fd as 1 | 2])
      const source = open(kernel, fileFor(kernel, each, outside))
      opened.push(source)
      return source
    })
    const actions: ChildAction[] = [
      ...sources.map((fd, target) => ({ op: 'dup2', fd, target }) as const),
      { op: 'execve', files: [path], argv, env },
    ]
    const pid = host.fork(new CheckedProgram(actions, noReport, 'shared', [], true))
    const status = runToEnd(host, pid)
    const failed = caller.process.memory.takeReport(pid)
    if (failed !== undefined) throw failureOf(actions[failed.action]!, failed, path)
    const crash = kernel.crashes.find(each => each.pid === pid) ?? null
    return { status, crash, stdout: textOf(collected[1]), stderr: textOf(collected[2]) }
  } finally {
    for (const fd of opened) caller.process.descriptors.remove(fd)
  }
}

/** The error of the action that ended the child. */
function failureOf({ op }: ChildAction, { errno }: ChildReport, path: string): SystemError {
  return op === 'execve' ? execFailure(errno, path) : new SystemError({ errno, syscall: op })
}

function execFailure(errno: number, path: string): SystemError {
  const hint = Math.abs(errno) === ENOENT ? simulatedHint : undefined
  return new SystemError({ errno, syscall: 'execve', path, hint })
}

function runToEnd(host: System, pid: number): ExitStatus {
  try {
    return waitForEnd(host, pid)
  } catch (error) {
    // After a deadlock the child may still exist. The first failure counts: it often causes those of the cleanup.
    try {
      host.kill(pid, 'SIGKILL')
      waitForEnd(host, pid)
    } catch {}
    throw error
  }
}

function waitForEnd(host: System, pid: number): ExitStatus {
  for (;;) {
    try {
      const status = host.waitpid(pid)!.status
      if (isExit(status)) return status
      // It has asked to be traced: its signals are passed on.
      if (status.kind === 'stopped') host.ptraceCont(pid, status.signal === 'SIGTRAP' ? undefined : status.signal)
    } catch (error) {
      // A kill may have ended its stop: ESRCH, and the next wait reports its end.
      if (!isErrno(error, 'EINTR') && !(isErrno(error, 'ESRCH') && error.syscall === 'ptrace')) throw error
    }
  }
}

function open(kernel: Kernel, file: OpenFile): number {
  // From 3 on: a dup2 onto the program's 0 to 2 must not close the source of the next one.
  const fd = kernel.host.process.descriptors.add(file, true, 3)
  if (fd < 0) throw new SystemError({ errno: fd, syscall: 'open' })
  return fd
}

function fileFor(kernel: Kernel, kind: 'pipe' | 'ignore' | number, outside: ExternalFile): OpenFile {
  if (typeof kind === 'number') {
    const file = kernel.host.process.descriptors.get(kind)
    if (file === undefined) throw new SystemError({ errno: 'EBADF', syscall: 'dup' })
    return file
  }
  return kind === 'pipe' ? new ExternalOpenFile(kernel, outside) : new NullDevice(kernel, constants.O_RDWR)
}

function inputFrom(input: Uint8Array): ExternalFile {
  let rest = input
  return {
    read(buffer) {
      const bytes = Math.min(buffer.length, rest.length)
      buffer.set(rest.subarray(0, bytes))
      rest = rest.subarray(bytes)
      return bytes
    },
  }
}

function outputTo(parts: Uint8Array[]): ExternalFile {
  return { write: data => void parts.push(data) }
}

function textOf(parts: readonly Uint8Array[]): string {
  // A byte order mark is a part of what the program wrote.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return parts.map(part => decoder.decode(part, { stream: true })).join('') + decoder.decode()
}

function checkRun(path: string, options: RunOptions) {
  const { argv = [path], env = [], stdio = 'pipe', input = '' } = checkOptions(options, 'options', optionNames)
  const words = checkList(argv, () => 'options.argv', checkStringItem)
  const variables = Array.isArray(env)
    ? env
    : Object.entries(checkObject(env, 'options.env')).map(
        ([key, value]) => `${key}=${checkString(value, `options.env.${key}`)}`,
      )
  const each = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  if (each.length > 3) throw invalidValue('options.stdio', 'must be of up to three entries', stdio)
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input
  if (!(bytes instanceof Uint8Array)) throw invalidType('options.input', 'a string or an instance of Uint8Array', input)
  return {
    argv: words,
    env: variables.map((variable, i) => checkString(variable, `options.env[${i}]`)),
    stdio: [0, 1, 2].map(fd => checkStdio(each[fd] ?? 'pipe', fd)),
    input: bytes,
  }
}

function checkStdio(value: unknown, fd: number): 'pipe' | 'ignore' | number {
  if (value === 'inherit') return fd
  if (value === 'pipe' || value === 'ignore') return value
  if (typeof value !== 'number')
    throw invalidValue(`options.stdio[${fd}]`, "must be 'pipe', 'ignore', 'inherit' or a descriptor", value)
  return checkInt(value, `options.stdio[${fd}]`)
}
