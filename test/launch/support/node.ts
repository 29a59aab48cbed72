/**
 * Scripts in a separate Node process, for tests that would end, block or crash the test runner. Also for limits,
 * other users and a launcher's death.
 *
 * A script is the body of an ES module that sees `launch`, `Channel` and `openSystem` of the built package.
 */

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { processLimitMs } from '../../support/time-limits.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const entry = new URL('../../../dist/index.js', import.meta.url)

const preamble = `
import { Channel, constants, launch, openSystem } from ${JSON.stringify(entry.href)}
import fs from 'node:fs'
import { once } from 'node:events'
const report = value => fs.writeSync(1, JSON.stringify(value) + '\\n')
const outcome = promise => promise.then(value => ({ value }), error => ({ name: error.name, code: error.code, step: error.step, errno: error.errno, path: error.path, message: error.message }))
const childPids = () => fs.readdirSync('/proc/self/task').flatMap(tid => fs.readFileSync('/proc/self/task/' + tid + '/children', 'latin1').split(' ').filter(Boolean).map(Number))
const descriptors = () => fs.readdirSync('/proc/self/fd').map(Number).flatMap(fd => { try { return [[fd, fs.readlinkSync('/proc/self/fd/' + fd)]] } catch { return [] } })
`

export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** The values passed to report(), in order. */
  readonly reports: readonly unknown[]
}

interface Options extends Pick<SpawnOptions, 'env' | 'cwd'> {
  /** A command that runs Node: strace, setpriv … */
  readonly behind?: readonly string[]
  /** Options of Node. */
  readonly flags?: readonly string[]
  /** The script gets SIGKILL after this time. */
  readonly limitMs?: number
}

/** Starts a script whose streams are pipes. */
export function startNode(script: string, options: Options = {}): ChildProcess {
  const { behind = [], flags = [], cwd = root, env = process.env } = options
  const [command = '', ...args] = [
    ...behind,
    process.execPath,
    ...flags,
    '--input-type=module',
    '-e',
    preamble + script,
  ]
  return spawn(command, args, { cwd, env, stdio: 'pipe' })
}

/** Runs a script to its end. */
export async function runNode(script: string, options: Options = {}): Promise<Ran> {
  const child = startNode(script, options)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? processLimitMs)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', chunk => {
    stdout += chunk
  })
  child.stderr?.on('data', chunk => {
    stderr += chunk
  })
  child.stdin?.end()
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  const lines = stdout
    .split('\n')
    .filter(line => line.startsWith('{') || line.startsWith('[') || /^[\d"tfn]/.test(line))
  return { code, signal, stdout, stderr, reports: lines.map(line => parsed(line)) }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

/** Yields the next lines that a started script reports, parsed. */
export async function* reportsOf(child: ChildProcess): AsyncGenerator<unknown, void, undefined> {
  let rest = ''
  for await (const chunk of child.stdout ?? []) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
  }
}

/** The reason why the package is not built or a tool is not on the PATH, or undefined. */
export function whyNot(tool: string): string | undefined {
  if (!existsSync(entry)) return 'the package is not built'
  return spawnSync('/bin/sh', ['-c', `command -v ${tool}`]).status === 0 ? undefined : `${tool} is not installed`
}

/** The prefix that runs a command as the user 'nobody'. Undefined if this process is an ordinary user's already. */
export const asNobody: readonly string[] | undefined =
  process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : undefined

/** The reason why scripts cannot run as an ordinary user here, or undefined. */
export const whyNoOrdinaryUser: string | undefined = (() => {
  if (asNobody === undefined) return undefined
  const [command, ...args] = [...asNobody, 'test', '-r', fileURLToPath(entry), '-a', '-x', process.execPath] as const
  if (spawnSync(command as string, args).status === 0) return undefined
  return 'setpriv is missing, or nobody cannot read this package'
})()
