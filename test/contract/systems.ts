/** The worlds that the contract suite runs on. One suite, and every world must give the same answers. */

import { existsSync, readFileSync } from 'node:fs'
import { openSystem } from '../../lib/open-system.ts'
import { SimulatedKernel } from '../../lib/sim/index.ts'
import type { System } from '../../lib/system/system.ts'
import { compileFixture, whyNoCompiler } from '../support/c-program.ts'
import { whyNoNative } from '../support/native.ts'
import { scriptedThreads } from '../support/scripted-threads.ts'

/** What the suite needs to know of a world besides its System. */
export interface World {
  readonly name: string
  /** Why its tests cannot run here; undefined when they can. */
  readonly skip: string | undefined
  /** Why processes cannot be traced here; undefined when they can. */
  readonly skipTracing: string | undefined
  /** A call that blocks for ever blocks this thread, so the suite arranges for a rescue. */
  readonly blocksTheThread: boolean
  /** Programs have the memory and the registers of a real machine. */
  readonly hasMachineCode: boolean
  /** A fresh world if worlds are cheap, else the only one. */
  open(): System
  /** Paths of common programs. */
  readonly programs: Programs
}

/** Paths of programs as every Unix has them. */
export interface Programs {
  readonly true: string
  readonly false: string
  readonly echo: string
  readonly cat: string
  readonly sleep: string
  /** The program of test/fixtures/threads.c; undefined where it cannot be compiled. */
  readonly threads: string | undefined
}

const names = ['true', 'false', 'echo', 'cat', 'sleep'] as const

function programsIn(find: (name: string) => string, threads: () => string | undefined): Programs {
  const found = Object.fromEntries(names.map(name => [name, find(name)]))
  return Object.defineProperty(found, 'threads', { get: threads }) as unknown as Programs
}

function yamaForbids(): string | undefined {
  try {
    const scope = Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8'))
    return scope >= 2 && process.getuid?.() !== 0 ? `Yama's ptrace_scope is ${scope}` : undefined
  } catch {
    return undefined
  }
}

const native: World = {
  name: 'native',
  skip: whyNoNative,
  skipTracing: yamaForbids(),
  blocksTheThread: true,
  hasMachineCode: true,
  open: () => openSystem('native'),
  programs: programsIn(
    name => (existsSync(`/bin/${name}`) ? `/bin/${name}` : `/usr/bin/${name}`),
    () => (whyNoCompiler === undefined ? compileFixture('threads') : undefined),
  ),
}

const simulated: World = {
  name: 'simulated',
  skip: undefined,
  skipTracing: undefined,
  blocksTheThread: true,
  hasMachineCode: false,
  open: () => new SimulatedKernel({ clock: 'real', programs: { '/bin/threads': scriptedThreads } }).host,
  programs: programsIn(
    name => `/bin/${name}`,
    () => '/bin/threads',
  ),
}

/** All worlds that the suite runs on. */
export const worlds: readonly World[] = [native, simulated]
