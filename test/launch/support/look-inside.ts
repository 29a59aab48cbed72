/** A launched C program reports the state that it starts with. */

import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect } from 'vitest'
import { Tracee } from '../../../lib/launch/handles/tracee.ts'
import { launch } from '../../../lib/launch/launch.ts'
import type { LaunchOptions } from '../../../lib/launch/options/options.ts'
import { compile, temporaryFolder } from './compile.ts'
import { bytesOf } from './streams.ts'

/** What the program sees of itself. A limit of -1 is RLIM_INFINITY. */
export interface Inside {
  argv: string[]
  env: string[]
  blocked: number[]
  notDefault: number[]
  descriptors: Record<string, { target: string; closeOnExec: boolean; nonblocking: boolean }>
  cwd: string
  pid: number
  parent: number
  session: number
  group: number
  parentDeathSignal: number
  umask: number
  uids: [real: number, effective: number, saved: number]
  gids: [real: number, effective: number, saved: number]
  groups: number[]
  /** The foreground group of the controlling terminal; -1 where there is none. */
  terminalGroup: number
  limits: [soft: number, hard: number][]
  nice: number
  oomScoreAdj: string
  cpus: number[]
  personality: number
  noNewPrivileges: number
  seccomp: number
  namespaces: Record<string, string>
  uidMap: string
  gidMap: string
  cgroups: string
  root: string
}

/** The program, readable by every user. Its file is removed after the test file. */
export function compileInside(flags: readonly string[] = []): string {
  const program = compile(temporaryFolder(), 'launch-inside', flags)
  chmodSync(dirname(program), 0o755)
  return program
}

/** Launches the program, runs it to its end, and gives what it saw. */
export async function lookInside(
  program: string,
  options: LaunchOptions = {},
  args: readonly string[] = [],
): Promise<Inside> {
  await using child = await launch(program, args, options)
  const output = bytesOf(child.stdout)
  if (child instanceof Tracee) child.cont()
  const inside = JSON.parse((await output).toString()) as Inside
  expect(await child.exited).toMatchObject({ code: 0 })
  if (options.namespaces?.includes('pid') !== true) expect(inside.pid).toBe(child.pid)
  return inside
}
