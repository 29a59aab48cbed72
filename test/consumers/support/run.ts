/** Runs a consumer's command as its user would, in a separate process group. No process of the group may be left. */

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Outcome {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  /** Additions to a plain environment. Undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly timeoutMs?: number
}

/** The environment of a new user's shell, without variables of npm, the test runner or this clone. */
function plainEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|NODE_|VITE|VITEST|TRACEGATE_|PREBUILDS_ONLY|CI$|TEST$|DEV$|PROD$|MODE$|FORCE_COLOR)/i.test(name),
  )
  return Object.fromEntries(kept)
}

/** The outcome. A command that takes too long is killed, and reported with its output so far. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const { cwd, env = {}, timeoutMs = 120_000 } = options
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', chunk => (output.stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', chunk => (output.stderr += chunk))
  let late = false
  const timer = setTimeout(() => {
    late = true
    killGroup(child.pid)
  }, timeoutMs)
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  }).finally(() => clearTimeout(timer))
  const shown = `${command} ${args.join(' ')}`
  if (late) throw new Error(`${shown} did not end within ${timeoutMs} ms\n${output.stdout}${output.stderr}`)
  const left = await leftOf(child.pid!)
  if (left.length > 0) {
    killGroup(child.pid)
    throw new Error(`${shown} left processes behind: ${left.join(', ')}`)
  }
  return { status, signal, ...output }
}

/** As {@link run}, for a command that must succeed. Returns its standard output. */
export async function succeed(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const outcome = await run(command, args, options)
  if (outcome.status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')}: ${outcome.signal ?? `exit ${outcome.status}`}\n${outcome.stdout}${outcome.stderr}`,
    )
  }
  return outcome.stdout
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The processes left in a group, after those already exiting have gone. */
async function leftOf(group: number): Promise<string[]> {
  let left = membersOf(group)
  for (let waitMs = 1; left.length > 0 && waitMs <= 1024; waitMs *= 2) {
    await sleep(waitMs)
    left = membersOf(group)
  }
  return left
}

function membersOf(group: number): string[] {
  const members: string[] = []
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(processGroup) === group && state !== 'Z') members.push(`${pid} (${name})`)
    } catch (error) {
      // The process ended during the scan.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return members
}

/** An empty folder of this name, so that the user's npm settings have no effect. */
export const noSettings = { npm_config_userconfig: join(tmpdir(), 'tracegate-no-npmrc') }
