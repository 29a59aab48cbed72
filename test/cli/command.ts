/** Runs the compiled command as a user would. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processStat } from '../support/process-table.ts'
import { pollLimitMs, processLimitMs } from '../support/time-limits.ts'

/** The command's file, as package.json names it. */
export const script = fileURLToPath(new URL('../../bin/tracegate.js', import.meta.url))
export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Finished {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The command while it runs. */
export interface Running {
  readonly process: ChildProcess
  /** The first line on its standard output. */
  readonly firstLine: Promise<string>
  /** The pid that tracegate hold has printed. NaN if it ended without one. */
  readonly heldPid: Promise<number>
  readonly finished: Promise<Finished>
}

interface Options {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Starts the command. A hang ends by a signal after a while. */
export function start(args: readonly string[], options: Options = {}): Running {
  return startProgram(process.execPath, [main, ...args], options)
}

/** Starts another program in the same way. */
export function startProgram(file: string, args: readonly string[], options: Options = {}): Running {
  const child = spawn(file, args, { env: options.env ?? process.env, timeout: processLimitMs, killSignal: 'SIGKILL' })
  let stdout = ''
  let stderr = ''
  let tellFirstLine = (_: string) => {}
  const firstLine = new Promise<string>(resolve => {
    tellFirstLine = resolve
  })
  let tellHeldPid = (_: number) => {}
  const heldPid = new Promise<number>(resolve => {
    tellHeldPid = resolve
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (stdout.includes('\n')) tellFirstLine(stdout.slice(0, stdout.indexOf('\n')))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (heldIn(stderr)) tellHeldPid(heldIn(stderr)!)
  })
  child.stdin.on('error', () => {}).end(options.input ?? '')
  const finished = once(child, 'close').then(([status, signal]) => {
    tellFirstLine(stdout)
    tellHeldPid(Number.NaN)
    return { status, signal, stdout, stderr }
  })
  return { process: child, firstLine, heldPid, finished }
}

/** The held pid named in a text. */
export function heldIn(text: string): number | undefined {
  const pid = /^tracegate: [^\n]* is held as process (\d+): [^\n]*\n/m.exec(text)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

/** The line that tracegate hold prints about a held program. */
export function heldLine(program: string, pid: number): string {
  return `tracegate: '${program}' is held as process ${pid}: gdb -p ${pid} debugs it, kill -CONT ${pid} lets it go (as any SIGCONT, and so a shell's fg)\n`
}

/** Runs the command to its end. */
export function tracegate(...args: readonly string[]): Promise<Finished> {
  return start(args).finished
}

/** Runs a shell line in which `tracegate` is the command, for descriptors that a shell can close or redirect. */
export function inShell(line: string, options: Options = {}): Promise<Finished> {
  const script = `tracegate() { '${process.execPath}' '${main}' "$@"; }\n${line}`
  return startProgram('/bin/sh', ['-c', script], options).finished
}

/** For a shell: waits until the pipe on its standard output has no reader. */
export const untilNoReader = `{ trap '' PIPE; while echo; do sleep 0.01; done; trap - PIPE; } 2>/dev/null`

/** Polls for a state: the kernel sends no event for it to this process. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + pollLimitMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`)
    await sleep(5)
  }
}

/** The state letter of a process, or undefined if it is gone. */
export const stateOf = (pid: number): string | undefined => processStat(pid)?.state

/**
 * Waits until a command that polls has looked again, however late it gets to: each sleep of its event loop ends with
 * a voluntary switch of its main thread.
 */
export async function untilItLooked(pid: number): Promise<void> {
  const sleeps = () => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
  }
  const before = sleeps()
  await eventually(() => sleeps() - before >= 5, 'a look')
}

/** Whether a process is gone or a zombie. A new parent may not have reaped it yet. */
export const isGone = (pid: number): boolean => (stateOf(pid) ?? 'Z') === 'Z'

/** The living processes with this word in their command line. */
export function processesWith(word: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word) && !isGone(pid)
      } catch {
        return false
      }
    })
}

export function hasTool(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some(folder => existsSync(`${folder}/${name}`))
}

/** The reason why a tool cannot attach to a foreign process, or undefined. */
export function whyNotAttach(tool: string): string | undefined {
  if (!hasTool(tool)) return `${tool} is not installed`
  const yama = '/proc/sys/kernel/yama/ptrace_scope'
  const scope = existsSync(yama) ? Number(readFileSync(yama, 'utf8')) : 0
  return scope === 3 || (scope > 0 && process.getuid?.() !== 0) ? `${yama} is ${scope}` : undefined
}

/** The suffix of a skipped test's title. */
export const skipped = (why: string | undefined): string => (why === undefined ? '' : ` [skipped: ${why}]`)
